package oci_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci/ocitest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestStoreOnDistributionConforms(t *testing.T) {
	t.Parallel()
	endpoint := ocitest.Registry(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture { return fixture(t, config(endpoint)) })
}

func TestStoreInMemoryConforms(t *testing.T) {
	t.Parallel()
	endpoint := memory(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture { return fixture(t, config(endpoint)) })
}

func TestSignedStoreWithoutPrefixConforms(t *testing.T) {
	t.Parallel()
	endpoint := memory(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		c := config(endpoint)
		c.Dir, c.URL = ocitest.Prefix(), "oci://"+endpoint
		c.Signing, c.MediaType = oci.SigningKey{PrivateKey: plainKey(t)}, oci.OCILayer
		made := fixture(t, c)
		proxied, _ := made.Store.(*oci.Store)
		reopen := made.Reopen
		made.Store, made.Reopen = below(c.Dir, proxied), func() statestore.Store {
			again, _ := reopen().(*oci.Store)
			return below(c.Dir, again)
		}
		return made
	})
}

func fixture(t *testing.T, config oci.Config) storetest.Fixture {
	t.Helper()
	config, proxy := through(t, config)
	return storetest.Fixture{
		Store:  open(t, config),
		Reopen: func() statestore.Store { return open(t, config) },
		Refuse: func(*testing.T) map[string]string {
			proxy.Between(ocitest.RefuseLayersWith("refused"))
			return map[string]string{"resources/refused-1": "1", "resources/refused-2": "2"}
		},
	}
}

// memory starts a registry in memory, and returns its host and port.
func memory(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(ocitest.NewMemory())
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// config returns a Config for a new repository.
func config(endpoint string) oci.Config {
	return oci.Config{
		Name: "OCIStateStore fleet", URL: "oci://" + endpoint + "/" + ocitest.Prefix(), Dir: ".", Insecure: true,
		Settle: 4 * time.Second, Keep: 100, Now: time.Now,
	}
}

func open(t testing.TB, config oci.Config) *oci.Store {
	t.Helper()
	store, err := oci.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}
