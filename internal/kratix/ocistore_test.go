package kratix_test

import (
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func TestParseOCIURL(t *testing.T) {
	for url, want := range map[string]string{
		"oci://registry.example.com":                "registry.example.com |",
		"oci://registry.example.com/":               "registry.example.com |",
		"oci://Registry.Example.com:5000/fleet/eu/": "registry.example.com:5000 |fleet/eu",
		"oci://localhost/a__b/c-d.e":                "localhost |a__b/c-d.e",
		"oci://[::1]:5000/fleet":                    "[::1]:5000 |fleet",
		"https://registry.example.com/fleet":        "error: the URL has another form than oci://REGISTRY/PREFIX",
		"registry.example.com/fleet":                "error: the URL has another form than oci://REGISTRY/PREFIX",
		"oci://user:hunter2@registry.example.com/x": "error: the URL has a user in it: credentials belong in the Secret",
		"oci:///fleet":                              `error: "" is not the host of a registry`,
		"oci://registry.example.com:port/fleet":     `error: "registry.example.com:port" is not the host of a registry`,
		"oci://registry.example.com\\@evil/fleet":   "error: the URL has a user",
		"oci://registry.example.com/Fleet":          `error: "Fleet" cannot be the name of a repository`,
		"oci://registry.example.com/a//b":           `error: "a//b" cannot be the name`,
		"oci://registry.example.com/../b":           `error: "../b" cannot be the name`,
		"oci://registry.example.com/fleet:latest":   `error: "fleet:latest" cannot be the name`,
		"oci://registry.example.com/fleet?token=x":  `error: "fleet?token=x" cannot be the name`,
		"oci://h/" + strings.Repeat("a", 256):       "error: the name of the repository has 256 characters, and 255 are allowed",
	} {
		host, prefix, err := kratix.ParseOCIURL(url)
		got := host + " |" + prefix
		if err != nil {
			got = "error: " + err.Error()
		}
		if !strings.HasPrefix(got, want) || strings.Contains(got, "hunter2") {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
	}
}

func TestUseNamedStore(t *testing.T) {
	for _, c := range []struct{ annotation, kind, path, want string }{
		{"OCIStateStore/fleet", "GitStateStore", "", "OCIStateStore fleet/d"},
		{"OCIStateStore/fleet", "", "/eu/d/", "OCIStateStore fleet/eu/d"},
		{"OCIStateStore/fleet", "GitStateStore", ".", "OCIStateStore fleet"},
		{"", "OCIStateStore", "eu", "OCIStateStore default/eu"},
		{"GitStateStore/live", "GitStateStore", "", "GitStateStore default"},
		{"OCIStateStore/", "BucketStateStore", "", "BucketStateStore default"},
		{"OCIStateStore/a/b", "BucketStateStore", "", "BucketStateStore default"},
	} {
		d := &kratix.Destination{}
		d.Name, d.Spec.Path = "d", c.path
		d.Annotations = map[string]string{kratix.StateStoreAnnotation: c.annotation}
		if c.kind != "" {
			d.Spec.StateStoreRef = &kratix.StateStoreReference{Kind: c.kind, Name: "default"}
		}
		for range 2 {
			if d.UseNamedStore(); d.Spec.StateStoreRef.String() != c.want {
				t.Errorf("%+v: got %s", c, d.Spec.StateStoreRef)
			}
		}
	}
	d := &kratix.Destination{}
	if d.UseNamedStore(); d.Spec.StateStoreRef != nil {
		t.Errorf("got %s", d.Spec.StateStoreRef)
	}
}

func TestStorageOfARegistryHasOneSpelling(t *testing.T) {
	ref := kratix.StateStoreReference{Kind: kratix.OCIStateStoreKind, Name: "fleet"}
	for url, want := range map[string]string{
		"oci://Registry.example.com/fleet/":    "oci://registry.example.com fleet",
		"oci://registry.example.com:443/fleet": "oci://registry.example.com fleet",
		"oci://registry.example.com:5000":      "oci://registry.example.com:5000 ",
		"no url":                               "no url ",
	} {
		store := &kratix.OCIStateStore{Spec: kratix.OCIStateStoreSpec{URL: url}}
		if storage, path := kratix.StorageOf(ref, store); storage+" "+path != want {
			t.Errorf("%s: got %s %s", url, storage, path)
		}
	}
}

func TestStateStoresAreFoundByReference(t *testing.T) {
	git, bucket, oci := &kratix.GitStateStore{}, &kratix.BucketStateStore{}, &kratix.OCIStateStore{}
	git.Name, bucket.Name, oci.Name = "a", "a", "a"
	stores := kratix.StateStores{
		GitStateStores: []*kratix.GitStateStore{git}, BucketStateStores: []*kratix.BucketStateStore{bucket}, OCIStateStores: []*kratix.OCIStateStore{oci},
	}
	for _, want := range stores.All() {
		ref := kratix.ReferenceTo(want)
		if got := stores.Find(ref); got != want {
			t.Errorf("%s: got %v", ref, got)
		}
	}
	if got := stores.Find(kratix.StateStoreReference{Kind: kratix.OCIStateStoreKind, Name: "a", Dir: "d"}); got != kratix.StateStore(oci) {
		t.Errorf("with a directory: got %v", got)
	}
	if got := stores.Find(kratix.StateStoreReference{Kind: kratix.OCIStateStoreKind, Name: "b"}); got != nil {
		t.Errorf("got %v", got)
	}
}
