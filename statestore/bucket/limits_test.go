package bucket_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func long(size int) string {
	path := strings.Repeat("n", 255) + "/" + strings.Repeat(strings.Repeat("d", 200)+"/", (size-256)/201)
	return path + strings.Repeat("f", size-len(path))
}

func TestServersAcceptPathsWithinTheLimits(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			config := configOf(t, server)
			config.Path = "some/prefix"
			limits := layout.LimitsOf(kratix.BucketStateStoreKind, testkit.Path(config.Path), nil)
			longest := 1024 - len("some/prefix/")
			fits := func(path string) bool {
				p, err := tree.ParsePath(path)
				if err != nil {
					return false
				}
				_, ok := limits.Fits(p)
				return ok
			}
			held := map[string]string{long(longest): "1", long(600): "2", "Ü/" + strings.Repeat("é", 127) + "/.gitmodules": "3"}
			for path := range held {
				if !fits(path) {
					t.Errorf("a path of %d bytes does not fit", len(path))
				}
			}
			store := open(t, config)
			storetest.Write(t, store, held)
			storetest.Holds(t, open(t, config), held)

			storetest.Write(t, store, map[string]string{"app": "a file"})
			for what, path := range map[string]string{
				"a key over 1,024 bytes": long(longest + 1), "a name over 255 bytes": strings.Repeat("n", 256),
			} {
				if fits(path) {
					t.Errorf("%s fits", what)
				}
				if accepts(t, server.Client, config, path) {
					t.Errorf("%s is taken", what)
				}
			}
			if accepts(t, server.Client, config, "app/x") && hasFiles(t, config, "app", "app/x") {
				t.Error("a file and a directory of one name are there")
			}
		})
	}
}

func accepts(t *testing.T, client *minio.Client, config bucket.Config, path string) bool {
	t.Helper()
	_, err := client.PutObject(t.Context(), config.Bucket, config.Path+"/"+path, bytes.NewReader([]byte("x")), 1, minio.PutObjectOptions{})
	return err == nil
}

func hasFiles(t *testing.T, config bucket.Config, paths ...string) bool {
	t.Helper()
	files := storetest.Read(t, open(t, config)).Files
	for _, path := range paths {
		if !files.Has(testkit.Path(path)) {
			return false
		}
	}
	return true
}
