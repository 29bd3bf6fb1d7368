package oci

import (
	"crypto"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	fluxclient "github.com/fluxcd/pkg/oci"
	"github.com/fluxcd/pkg/tar"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/sigstore/cosign/v3/pkg/cosign"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci/ocitest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func registryOf(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func config(endpoint string) oci.Config {
	return oci.Config{
		Name: "OCIStateStore fleet", URL: "oci://" + endpoint + "/" + ocitest.Prefix(), Dir: ".", Insecure: true,
		Settle: 2 * time.Second, Keep: 100, Now: time.Now,
	}
}

func open(t *testing.T, config oci.Config) *oci.Store {
	t.Helper()
	store, err := oci.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestStoreOnGoContainerRegistryConforms(t *testing.T) {
	endpoint := registryOf(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		c := config(endpoint)
		proxy := ocitest.NewProxy(t, endpoint)
		c.URL = strings.Replace(c.URL, endpoint, proxy.Endpoint, 1)
		return storetest.Fixture{
			Store:  open(t, c),
			Reopen: func() statestore.Store { return open(t, c) },
			Refuse: func(*testing.T) map[string]string {
				proxy.Between(ocitest.RefuseLayersWith("refused"))
				return map[string]string{"resources/refused-1": "1", "resources/refused-2": "2"}
			},
		}
	})
}

var files = map[string]string{
	"dependencies/a.yaml": "a: 1\n", "resources/default/p/b.yaml": "b: 2\n", ".kratix/p.yaml": "r: 3\n",
	"resources/" + strings.Repeat("long/", 40) + "Ünï 文件.yaml": "c: 4\n",
}

func TestFluxReadsArtifacts(t *testing.T) {
	for _, mediaType := range []string{oci.FluxContent, oci.OCILayer} {
		t.Run(mediaType, func(t *testing.T) {
			c := config(registryOf(t))
			c.MediaType = mediaType
			revision := storetest.Write(t, open(t, c), files)
			address := strings.TrimPrefix(c.URL, "oci://") + ":latest"

			pulled := t.TempDir()
			metadata, err := fluxclient.NewClient(fluxclient.DefaultOptions()).Pull(t.Context(), address, pulled)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(metadata.Digest, "@"+string(revision)) || metadata.Source != "kratix-schedule" || !strings.HasPrefix(metadata.Revision, "sha256:") || metadata.Created == "" {
				t.Errorf("%+v", metadata)
			}
			sameFiles(t, pulled)

			ref, err := name.ParseReference(address, name.Insecure)
			if err != nil {
				t.Fatal(err)
			}
			image, err := remote.Image(ref)
			if err != nil {
				t.Fatal(err)
			}
			digest, err := image.Digest()
			if err != nil || digest.String() != string(revision) {
				t.Errorf("%s, %v", digest, err)
			}
			layers, err := image.Layers()
			if err != nil || len(layers) != 1 {
				t.Fatal(layers, err)
			}
			blob, err := layers[0].Compressed()
			if err != nil {
				t.Fatal(err)
			}
			unpacked := t.TempDir()
			if err := tar.Untar(blob, unpacked, tar.WithMaxUntarSize(-1), tar.WithSkipSymlinks()); err != nil {
				t.Fatal(err)
			}
			sameFiles(t, unpacked)
		})
	}
}

func sameFiles(t *testing.T, dir string) {
	t.Helper()
	for path, want := range files {
		if got, err := os.ReadFile(filepath.Join(dir, path)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
}

func TestStoreReadsWhatFluxPushes(t *testing.T) {
	c := config(registryOf(t))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte("a: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := fluxclient.NewClient(fluxclient.DefaultOptions()).Push(t.Context(), strings.TrimPrefix(c.URL, "oci://")+":latest", dir)
	if err != nil {
		t.Fatal(err)
	}
	store := open(t, c)
	storetest.Holds(t, store, map[string]string{"a.yaml": "a: 1\n"})
	storetest.Write(t, store, map[string]string{"b.yaml": "b"})
	storetest.Holds(t, store, map[string]string{"a.yaml": "a: 1\n", "b.yaml": "b"})
}

func TestCosignVerifiesSignatures(t *testing.T) {
	keys, err := cosign.GenerateKeyPair(func(bool) ([]byte, error) { return []byte("hunter2"), nil })
	if err != nil {
		t.Fatal(err)
	}
	c := config(registryOf(t))
	c.Signing = oci.SigningKey{PrivateKey: string(keys.PrivateBytes), Password: "hunter2"}
	revision := storetest.Write(t, open(t, c), files)

	public, err := cryptoutils.UnmarshalPEMToPublicKey(keys.PublicBytes)
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(t, c, revision, public); err != nil {
		t.Errorf("%v", err)
	}
	others, err := cosign.GenerateKeyPair(func(bool) ([]byte, error) { return []byte("x"), nil })
	if err != nil {
		t.Fatal(err)
	}
	if public, err = cryptoutils.UnmarshalPEMToPublicKey(others.PublicBytes); err != nil {
		t.Fatal(err)
	}
	if err := verify(t, c, revision, public); err == nil {
		t.Error("another key verifies it")
	}
	c.Signing.Password = "hunter3"
	if _, err := oci.Open(c); err == nil || !strings.Contains(err.Error(), "cosign.password does not decrypt cosign.key") || strings.Contains(err.Error(), "hunter3") {
		t.Errorf("%v", err)
	}
}

func verify(t *testing.T, c oci.Config, revision statestore.Revision, public crypto.PublicKey) error {
	t.Helper()
	verifier, err := signature.LoadVerifier(public, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.NewDigest(strings.TrimPrefix(c.URL, "oci://")+"@"+string(revision), name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	// Flux verifies with these options.
	_, _, err = cosign.VerifyImageSignatures(t.Context(), ref, &cosign.CheckOpts{
		SigVerifier: verifier, ClaimVerifier: cosign.SimpleClaimVerifier, IgnoreTlog: true, IgnoreSCT: true, Offline: true,
	})
	return err
}
