package bucket_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// fluxRevision computes the revision of a prefix as Flux does.
func fluxRevision(t *testing.T, server *buckettest.Server, bucketName, prefix string) string {
	t.Helper()
	index := map[string]string{}
	for info := range server.Client.ListObjectsIter(t.Context(), bucketName, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if info.Err != nil {
			t.Fatal(info.Err)
		}
		if !strings.HasSuffix(info.Key, "/") && info.Key != ".sourceignore" {
			index[info.Key] = info.ETag
		}
	}
	hash := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(index)) {
		_, _ = fmt.Fprintf(hash, "%s %s\n", key, index[key])
	}
	return fmt.Sprintf("sha256:%x", hash.Sum(nil))
}

func TestArtifactIsTheRevisionThatFluxComputes(t *testing.T) {
	t.Parallel()
	server := buckettest.MinIO(t)
	for _, prefix := range []string{"", "clusters/prod/"} {
		t.Run("prefix "+prefix, func(t *testing.T) {
			config := configOf(t, server)
			config.Path = prefix
			store := open(t, config)
			for _, key := range []string{"worker-1/a//b", "worker-1/dir/", "worker-1/z\nb", "worker-10/c", "a!"} {
				if _, err := server.Client.PutObject(t.Context(), config.Bucket, prefix+key, strings.NewReader(key), int64(len(key)), minio.PutObjectOptions{}); err != nil {
					t.Log(key, err)
				}
			}
			for i, files := range []map[string]string{
				{"worker-1/a": "1", "worker-1/b/c": "2", "worker-1-2/d": "3", "worker-2/d": "4", "e": "5"},
				{"worker-1/a": "1", "worker-2/d": "6"},
				{"worker-1/b/c": "7"},
			} {
				storetest.Write(t, store, files)
				state := storetest.Read(t, store)
				for _, dir := range []string{"", "worker-1", "worker-1/b", "worker-2", "none"} {
					path, within := tree.Path{}, prefix
					if dir != "" {
						path, within = testkit.Path(dir), prefix+dir+"/"
					}
					if got, want := state.Artifact(path), fluxRevision(t, server, config.Bucket, within); got != want {
						t.Errorf("write %d, %q: %s, want %s", i, dir, got, want)
					}
				}
			}
		})
	}
	t.Run("with .sourceignore", func(t *testing.T) {
		store := open(t, configOf(t, server))
		storetest.Write(t, store, map[string]string{".sourceignore": "a\n", "b/a": "1"})
		state := storetest.Read(t, store)
		if got := state.Artifact(tree.Path{}); got != "" {
			t.Errorf("the revision is %s, although Flux leaves out files", got)
		}
	})
}

func TestReplacedContentIsReadFromAVersion(t *testing.T) {
	t.Parallel()
	server := buckettest.MinIO(t)
	for _, versioned := range []bool{true, false} {
		t.Run(fmt.Sprintf("versioned %t", versioned), func(t *testing.T) {
			config := configOf(t, server)
			config.Cache = 1
			if versioned {
				if err := server.Client.EnableVersioning(t.Context(), config.Bucket); err != nil {
					t.Fatal(err)
				}
			}
			store := open(t, config)
			storetest.Write(t, store, map[string]string{"a": "first", "a2": "other", "gone": "was here"})
			state := storetest.Read(t, store)
			storetest.Write(t, store, map[string]string{"a": "second"}, "gone")
			storetest.Write(t, store, map[string]string{"a": "third"})
			storetest.Read(t, store)
			for name, want := range map[string]string{"a": "first", "gone": "was here"} {
				got, err := state.Contents.Content(t.Context(), testkit.Path(name))
				if versioned != bytes.Equal(got, []byte(want)) || versioned != (err == nil) || !versioned && !errors.Is(err, statestore.ErrStale) {
					t.Errorf("%s: %q, %v", name, got, err)
				}
			}
		})
	}
}
