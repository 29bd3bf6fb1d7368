package bucket_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

var servers = map[string]func(testing.TB) *buckettest.Server{
	"MinIO":     func(t testing.TB) *buckettest.Server { return buckettest.MinIO(t) },
	"versitygw": buckettest.Versitygw,
}

func TestStoreOnMinIOConforms(t *testing.T) {
	t.Parallel()
	server := buckettest.MinIO(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture { return fixture(t, configOf(t, server)) })
}

func TestStoreUnderAPrefixConforms(t *testing.T) {
	t.Parallel()
	server := buckettest.MinIO(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		config := configOf(t, server)
		config.Path = "/clusters/prod/"
		return fixture(t, config)
	})
}

func TestStoreOnVersitygwConforms(t *testing.T) {
	t.Parallel()
	server := buckettest.Versitygw(t)
	t.Run("Probe leaves nothing behind", func(t *testing.T) { probe(t, server) })
	storetest.Run(t, func(t *testing.T) storetest.Fixture { return fixture(t, configOf(t, server)) })
}

func fixture(t *testing.T, config bucket.Config) storetest.Fixture {
	proxy := buckettest.NewProxy(t, config.Endpoint)
	config.Endpoint = proxy.Endpoint
	return storetest.Fixture{
		Store:  open(t, config),
		Reopen: func() statestore.Store { return open(t, config) },
		Refuse: func(*testing.T) map[string]string {
			proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "refused") {
					buckettest.Fail(w, http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
					return
				}
				next.ServeHTTP(w, r)
			})
			return map[string]string{"resources/refused-1": "1", "resources/refused-2": "2"}
		},
	}
}

// TestFileThatTheServerRejectsIsNamed writes files below the path of an object, which versitygw
// rejects.
func TestFileThatTheServerRejectsIsNamed(t *testing.T) {
	t.Parallel()
	server := buckettest.Versitygw(t)
	config := configOf(t, server)
	store := open(t, config)
	base := storetest.Write(t, store, map[string]string{"dependencies/kept": "k", "resources/changed": "old"})
	storetest.Read(t, store)
	client := buckettest.Client(t, server.Endpoint, credentials.NewStaticV4(buckettest.AccessKey, buckettest.SecretKey, ""))
	if _, err := client.PutObject(t.Context(), config.Bucket, "resources/taken", strings.NewReader("x"), 1, minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	revision, err := store.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{
		"dependencies/new": "n", "resources/changed": "new", "resources/taken/file": "f",
	})})
	var told *statestore.Error
	if !errors.Is(err, statestore.ErrContentRefused) || !errors.As(err, &told) || revision == "" || revision == base {
		t.Fatalf("revision %q, %v", revision, err)
	}
	if want := testkit.Paths("resources/taken/file"); !slices.Equal(told.Paths, want) || told.Fix != fixConflict {
		t.Errorf("%v are named, want %v: %s", told.Paths, want, told.Fix)
	}
	storetest.Holds(t, store, map[string]string{"dependencies/kept": "k", "resources/changed": "old", "resources/taken": "x"})
	if state := storetest.Read(t, store); state.Revision != revision || len(state.Unfinished) > 0 {
		t.Errorf("at %q, want %q, %v are unfinished", state.Revision, revision, state.Unfinished)
	}
}

const fixConflict = "rename one of the two, in the pipeline's output or in the bucket"

func configOf(t testing.TB, server *buckettest.Server) bucket.Config {
	t.Helper()
	return config(server.Endpoint, server.Bucket(t))
}

func config(endpoint, name string) bucket.Config {
	return bucket.Config{
		Name: "BucketStateStore default", Endpoint: endpoint, Insecure: true, Bucket: name,
		Auth: bucket.Auth{AccessKeyID: buckettest.AccessKey, SecretAccessKey: buckettest.SecretKey},
	}
}

func open(t testing.TB, config bucket.Config) *bucket.Store {
	t.Helper()
	store, err := bucket.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return store
}
