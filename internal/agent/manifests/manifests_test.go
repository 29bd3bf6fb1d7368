package manifests_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent/manifests"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
)

var update = flag.Bool("update", false, "write the golden files")

func options() manifests.Options {
	return manifests.Options{
		EventsURL: "https://kratix.example.com", Namespace: "flux-system", EventsSecret: "kratix-schedule-events", Interval: 10 * time.Minute, Timeout: 5 * time.Minute,
		Project: "default", Server: "https://kubernetes.default.svc",
	}
}

func fixture(t *testing.T) source.Snapshot {
	t.Helper()
	in := &dir.Source{Paths: []string{"../../../testdata/agents"}, Now: time.Now}
	snapshot, err := in.Snapshot(t.Context())
	if err != nil || len(snapshot.Findings) > 0 {
		t.Fatal(err, snapshot.Findings)
	}
	return snapshot
}

func storeOf(t *testing.T, d *kratix.Destination, snapshot source.Snapshot) kratix.Object {
	t.Helper()
	if store := snapshot.Find(*d.Spec.StateStoreRef); store != nil {
		return store
	}
	t.Fatalf("no store for %s", d.Name)
	return nil
}

func TestGolden(t *testing.T) {
	snapshot := fixture(t)
	for _, d := range snapshot.Destinations {
		for agent, render := range map[string]func(*kratix.Destination, kratix.Object, manifests.Options) ([]byte, error){"flux": manifests.Flux, "argocd": manifests.ArgoCD} {
			t.Run(agent+"/"+d.Name, func(t *testing.T) {
				text, err := render(d, storeOf(t, d, snapshot), options())
				got := string(text)
				if err != nil {
					got = "error: " + err.Error() + "\n"
				}
				if strings.Contains(got, "not-printed") {
					t.Error("a password is printed")
				}
				golden := filepath.Join("testdata", agent, d.Name+".yaml")
				if *update {
					if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

func TestWithoutEventsNothingReportsBack(t *testing.T) {
	snapshot := fixture(t)
	o := options()
	o.EventsURL = ""
	for _, d := range snapshot.Destinations {
		store := storeOf(t, d, snapshot)
		text, err := manifests.Flux(d, store, o)
		if err != nil || strings.Contains(string(text), "notification") {
			t.Errorf("%v: %s", err, text)
		}
		if store.KindName() == kratix.BucketStateStoreKind {
			continue
		}
		text, err = manifests.ArgoCD(d, store, o)
		if err != nil || strings.Contains(string(text), "notifications") || strings.Contains(string(text), "annotations") {
			t.Errorf("%v: %s", err, text)
		}
	}
}

func TestSignaturesAreVerifiedIfASecretIsNamed(t *testing.T) {
	snapshot := fixture(t)
	o := options()
	o.VerifySecret = "cosign-key"
	for _, d := range snapshot.Destinations {
		store := storeOf(t, d, snapshot)
		text, err := manifests.Flux(d, store, o)
		isVerified := strings.Contains(string(text), "verify:\n    provider: cosign\n    secretRef:\n      name: cosign-key\n")
		if err != nil || isVerified != (store.KindName() == kratix.OCIStateStoreKind) {
			t.Errorf("%v: %s", err, text)
		}
	}
}

func TestRepositoriesThatCannotHaveTheirNames(t *testing.T) {
	d := &kratix.Destination{}
	d.Name, d.Spec.Path = "worker-1", "Worker_1"
	d.Spec.StateStoreRef = &kratix.StateStoreReference{Kind: kratix.OCIStateStoreKind, Name: "fleet", Dir: "Worker_1"}
	store := &kratix.OCIStateStore{}
	store.Name, store.Spec.URL = "fleet", "oci://registry.example.com/fleet"
	if _, err := manifests.Flux(d, store, options()); err == nil || !strings.Contains(err.Error(), `OCIStateStore fleet/Worker_1: "fleet/Worker_1" cannot be the name of a repository`) {
		t.Errorf("%v", err)
	}
}

func TestEventsURL(t *testing.T) {
	for given, want := range map[string]string{
		"https://kratix.example.com":                    "https://kratix.example.com",
		"https://kratix.example.com/":                   "https://kratix.example.com",
		"https://kratix.example.com/api/v1/events/flux": "https://kratix.example.com",
		"http://10.0.0.1:8080/x/api/v1/events/argocd":   "http://10.0.0.1:8080/x",
		"kratix.example.com":                            "error: it must be an address such as https://kratix.example.com",
		"ftp://kratix.example.com":                      "error: it must be an address such as https://kratix.example.com",
		"https://a:b@kratix.example.com":                "error: it must not have a user, a query or a fragment",
		"https://kratix.example.com?a=b":                "error: it must not have a user, a query or a fragment",
	} {
		got, err := manifests.ParseEventsURL(given)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", given, got, want)
		}
	}
}

func TestStoresThatNoClusterCanRead(t *testing.T) {
	d := &kratix.Destination{}
	d.Name, d.Spec.Path = "worker-1", "worker-1"
	d.Spec.StateStoreRef = &kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "local"}
	store := &kratix.GitStateStore{}
	store.Name = "local"
	for url, want := range map[string]string{
		"file:///srv/state.git":    "GitStateStore local: another cluster cannot fetch from a URL with the scheme file: use https or ssh",
		"git.example.com/state":    `GitStateStore local: the URL "git.example.com/state" has no scheme: did you mean https://git.example.com/state?`,
		"git://git.example.com/st": "GitStateStore local: another cluster cannot fetch from a URL with the scheme git: use https or ssh",
	} {
		store.Spec.URL = url
		if _, err := manifests.Flux(d, store, options()); err == nil || err.Error() != want {
			t.Errorf("%s: %v", url, err)
		}
	}
}
