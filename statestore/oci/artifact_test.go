package oci_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci/ocitest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// push makes an artifact with a layer the newest of a repository.
func push(t *testing.T, c oci.Config, layer []byte, change func(manifest map[string]any)) {
	t.Helper()
	host, name, _ := strings.Cut(strings.TrimPrefix(c.URL, "oci://"), "/")
	base := "http://" + host + "/v2/" + name
	send := func(method, target, mediaType string, body []byte) (location *url.URL) {
		request, err := http.NewRequestWithContext(t.Context(), method, target, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", mediaType)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		location, _ = response.Location()
		return location
	}
	digest := ocitest.DigestOf(layer)
	upload := send(http.MethodPost, base+"/blobs/uploads/", "", nil)
	if upload == nil {
		t.Fatal("the registry begins no upload")
	}
	send(http.MethodPut, upload.String()+"?digest="+digest, "application/octet-stream", layer)
	manifest := map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": map[string]any{"mediaType": oci.FluxConfig, "digest": ocitest.DigestOf([]byte("{}")), "size": 2},
		"layers": []any{map[string]any{"mediaType": oci.FluxContent, "digest": digest, "size": len(layer)}},
	}
	if change != nil {
		change(manifest)
	}
	text, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	send(http.MethodPut, base+"/manifests/latest", "application/vnd.oci.image.manifest.v1+json", text)
}

func layerOf(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, header := range headers {
		if err := archive.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(archive, zeros{}, header.Size); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func file(name string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: 1, Mode: 0o644}
}

func TestHostileArtifactsAreNotRead(t *testing.T) {
	t.Parallel()
	endpoint := memory(t)
	many := make([]tar.Header, 100_001)
	for i := range many {
		many[i] = tar.Header{Typeflag: tar.TypeReg, Name: "f" + strconv.Itoa(i)}
	}
	directories := make([]tar.Header, 200_002)
	for i := range directories {
		directories[i] = tar.Header{Typeflag: tar.TypeDir, Name: "d/"}
	}
	layers := func(change func(layer map[string]any) []any) func(map[string]any) {
		return func(manifest map[string]any) {
			layer, _ := manifest["layers"].([]any)[0].(map[string]any)
			manifest["layers"] = change(layer)
		}
	}
	for name, c := range map[string]struct {
		layer  []byte
		change func(map[string]any)
		want   string
	}{
		"a path out of the directory": {layer: layerOf(t, file("../evil")), want: `".." leads out`},
		"an absolute path":            {layer: layerOf(t, file("/etc/passwd")), want: "it is absolute"},
		"a path of git":               {layer: layerOf(t, file("a/.git/config")), want: "belongs to git"},
		"a path with an escape":       {layer: layerOf(t, file("a\x1b[31m")), want: "control character"},
		"a path twice":                {layer: layerOf(t, file("a"), file("./a")), want: "is there twice"},
		"a device":                    {layer: layerOf(t, tar.Header{Typeflag: tar.TypeChar, Name: "null"}), want: "neither a file nor a directory"},
		"a hard link":                 {layer: layerOf(t, file("a"), tar.Header{Typeflag: tar.TypeLink, Name: "b", Linkname: "a"}), want: "neither a file nor a directory"},
		"a bomb":                      {layer: layerOf(t, tar.Header{Typeflag: tar.TypeReg, Name: "zeros", Size: 101 << 20}), want: "is too large: it can have 100000 files of 100 MiB"},
		"many files":                  {layer: layerOf(t, many...), want: "is too large: it can have 100000 files of 100 MiB"},
		"many directories":            {layer: layerOf(t, directories...), want: "too many entries"},
		"no archive":                  {layer: []byte("hello"), want: "not compressed with gzip"},
		"a layer of another size": {layer: layerOf(t, file("a")), want: "at most 67108864 are read", change: layers(func(layer map[string]any) []any {
			layer["size"] = 1 << 40
			return []any{layer}
		})},
		"two layers": {layer: layerOf(t, file("a")), want: "it has 2 layers", change: layers(func(layer map[string]any) []any { return []any{layer, layer} })},
		"no layer":   {layer: layerOf(t, file("a")), want: "it has 0 layers", change: layers(func(map[string]any) []any { return []any{} })},
		"another media type": {layer: layerOf(t, file("a")), want: `has the media type "text/plain"`, change: layers(func(layer map[string]any) []any {
			layer["mediaType"] = "text/plain"
			return []any{layer}
		})},
		"another hash": {layer: layerOf(t, file("a")), want: "no SHA-256 digest", change: layers(func(layer map[string]any) []any {
			layer["digest"] = "md5:0123"
			return []any{layer}
		})},
		"a large manifest": {layer: layerOf(t, file("a")), want: "at most 4194304 are read", change: func(manifest map[string]any) {
			manifest["annotations"] = map[string]string{"x": strings.Repeat("x", 4<<20)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			config := config(endpoint)
			push(t, config, c.layer, c.change)
			_, err := open(t, config).Read(t.Context())
			if !errors.Is(err, statestore.ErrMisconfigured) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("it fails with %v", err)
			}
		})
	}
}

func TestContentWithAnotherDigestIsNotRead(t *testing.T) {
	t.Parallel()
	c, proxy := through(t, config(memory(t)))
	storetest.Write(t, open(t, c), map[string]string{"a": "1"})
	for _, part := range []string{"/blobs/", "/manifests/sha256:"} {
		proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			body := answer.Body.Bytes()
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, part) {
				body[len(body)-1] ^= 1
			}
			for key, values := range answer.Header() {
				w.Header()[key] = values
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(body)
		})
		if _, err := open(t, c).Read(t.Context()); !errors.Is(err, statestore.ErrUnavailable) || !strings.Contains(err.Error(), "something else than what was stored") {
			t.Errorf("%s: it fails with %v", part, err)
		}
	}
}

func TestSymlinksOfOthersStayAndAreObstacles(t *testing.T) {
	t.Parallel()
	c := config(memory(t))
	push(t, c, layerOf(t, file("a"), tar.Header{Typeflag: tar.TypeSymlink, Name: "dir/link", Linkname: "../a"}), nil)
	store := open(t, c)
	state := storetest.Read(t, store)
	if kind, there := state.Obstacles.At(testkit.Path("dir/link")); kind != "a symlink" || !there {
		t.Errorf("%q, %t", kind, there)
	}
	_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: state.Revision, Write: testkit.Files(map[string]string{"dir/link/below": "x"})})
	if !errors.Is(err, statestore.ErrContentRefused) {
		t.Errorf("a file below a symlink: %v", err)
	}
	storetest.Write(t, store, map[string]string{"b": "2"})
	if _, there := storetest.Read(t, open(t, c)).Obstacles.At(testkit.Path("dir/link")); !there {
		t.Error("the link is gone")
	}
}

func TestEqualTreesHaveEqualLayers(t *testing.T) {
	t.Parallel()
	layers := map[string]bool{}
	for i, writes := range [][]map[string]string{
		{{"a/b": "1", "c": "2", "Ü/ü": "3"}},
		{{"c": "2"}, {"Ü/ü": "x", "d": "4"}, {"a/b": "1", "Ü/ü": "3"}},
	} {
		c, proxy := through(t, config(memory(t)))
		c.Now = func() time.Time { return time.Unix(int64(i)*1e9, 0) }
		store := open(t, c)
		for _, write := range writes {
			storetest.Write(t, store, write)
		}
		if len(writes) > 1 {
			storetest.Write(t, store, nil, "d")
		}
		proxy.Requests()
		storetest.Read(t, open(t, c))
		for _, request := range proxy.Requests() {
			if strings.HasPrefix(request, "GET manifest ") {
				layers[layerIn(t, c, strings.TrimPrefix(request, "GET manifest "))] = true
			}
		}
	}
	if len(layers) != 1 {
		t.Errorf("%v", layers)
	}
}

// layerIn returns the digest of the layer of an artifact.
func layerIn(t *testing.T, c oci.Config, reference string) string {
	t.Helper()
	host, name, _ := strings.Cut(strings.TrimPrefix(c.URL, "oci://"), "/")
	response, err := http.Get("http://" + host + "/v2/" + name + "/manifests/" + reference) //nolint:noctx // our own server
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var manifest struct {
		Layers []struct {
			Digest string `json:"digest"`
		} `json:"layers"`
	}
	if err := json.NewDecoder(response.Body).Decode(&manifest); err != nil {
		t.Fatal(err)
	}
	return manifest.Layers[0].Digest
}

func TestWritesAreLimited(t *testing.T) {
	t.Parallel()
	store := open(t, config(memory(t)))
	many := map[string]string{}
	for i := range 100_001 {
		many[fmt.Sprintf("d%d/f%d", i%100, i)] = ""
	}
	for name, files := range map[string]map[string]string{
		"too large":                       {"a": strings.Repeat("0", 101<<20)},
		"100001 files":                    many,
		"above or below a/b is not a dir": {"a": "1", "a/b": "2"},
	} {
		_, err := store.Apply(t.Context(), statestore.ChangeSet{Write: testkit.Files(files)})
		if !errors.Is(err, statestore.ErrContentRefused) || !strings.Contains(err.Error(), name) || fixOf(err) == "" {
			t.Errorf("%s: it fails with %v", name, err)
		}
	}
	storetest.Holds(t, store, map[string]string{})
	c := config(memory(t))
	c.Dir = "worker-1"
	_, err := open(t, c).Apply(t.Context(), statestore.ChangeSet{Write: testkit.Files(map[string]string{"worker-2/a": "1"})})
	if !errors.Is(err, statestore.ErrContentRefused) || !strings.Contains(err.Error(), "outside of the Destination's directory") {
		t.Errorf("a file of another Destination: %v", err)
	}
}

func TestContentsAreReadAgainIfTheCacheIsSmall(t *testing.T) {
	t.Parallel()
	c, proxy := through(t, config(memory(t)))
	c.Cache = 100
	store := open(t, c)
	storetest.Write(t, store, map[string]string{"a": "1"})
	old := storetest.Read(t, store)
	storetest.Write(t, store, map[string]string{"a": "2"})
	now := storetest.Read(t, store)
	proxy.Requests()
	for state, want := range map[*statestore.State]string{&old: "1", &now: "2"} {
		if content, err := state.Contents.Content(t.Context(), testkit.Path("a")); err != nil || string(content) != want {
			t.Errorf("%q, %v, want %q", content, err, want)
		}
	}
	if requests := proxy.Requests(); len(requests) == 0 {
		t.Error("both are in the cache")
	}
}

func FuzzLayer(f *testing.F) {
	f.Add([]byte("hello"))
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	_ = archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "a/b", Size: 1})
	_, _ = archive.Write([]byte("x"))
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Fuzz(func(t *testing.T, layer []byte) {
		names, again, err := oci.Repack(layer)
		if err != nil {
			return
		}
		same, _, err := oci.Repack(again)
		if err != nil || fmt.Sprint(same) != fmt.Sprint(names) {
			t.Errorf("%v, want %v: %v", same, names, err)
		}
	})
}
