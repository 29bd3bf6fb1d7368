package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

type rollbackStore struct {
	manifests string
	// revision and parent return the newest revision and the revision before it. parent may be nil.
	revision, parent func() string
	read             func(path string) string
}

func TestPlacementIsRolledBack(t *testing.T) {
	for name, open := range map[string]func(*testing.T) rollbackStore{"GitStateStore": rollbackInGit, "BucketStateStore": rollbackInABucket} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			store := open(t)
			writeFile(t, filepath.Join(dir, "destination.yaml"), "apiVersion: platform.kratix.io/v1alpha1\nkind: Destination\nmetadata: {name: worker-1}\n"+
				"spec: {path: worker-1, stateStoreRef: {kind: "+name+", name: default}}\n---\n"+store.manifests)
			writeFile(t, filepath.Join(dir, "secret"), "0123456789abcdef")
			request := func(names ...string) {
				work, err := yaml.Marshal(testkit.Request("b", testkit.WithFile("maps.yaml", testkit.ConfigMaps(names...))))
				if err != nil {
					t.Fatal(err)
				}
				writeFile(t, filepath.Join(dir, "work.yaml"), string(work))
			}
			request("good")
			start := func() (log *tee, send func(fluxEvent), stop func()) {
				log = &tee{}
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan int)
				go func() {
					ended <- execute(ctx, []string{"run", "-f", dir, "--listen", "127.0.0.1:0", "--events-secret-file", filepath.Join(dir, "secret"), "--on-apply-failure", "rollback"}, streams{out: &tee{}, err: log})
				}()
				waitForOutput(t, log, `"msg":"listening"`)
				address := regexp.MustCompile(`"address":"([^"]+)"`).FindStringSubmatch(log.String())[1]
				send = func(e fluxEvent) {
					t.Helper()
					status := http.StatusServiceUnavailable
					for deadline := time.Now().Add(20 * time.Second); status == http.StatusServiceUnavailable && time.Now().Before(deadline); {
						status = sendFlux(t, address, "0123456789abcdef", e) // the daemon is not ready before the first round
					}
					if status != http.StatusAccepted {
						t.Fatalf("status %d", status)
					}
				}
				return log, send, func() { cancel(); <-ended }
			}
			log, send, stop := start()
			waitForOutput(t, log, `"msg":"written"`)
			const path = "worker-1/resources/default/redis/b/5058f/maps.yaml"
			before := store.read(path)
			send(fluxEvent{"info", "Progressing", "Health check passed in 1s", store.revision()})
			waitForOutput(t, log, `"outcome":"Healthy"`)

			request("good", "bad")
			for deadline := time.Now().Add(20 * time.Second); store.read(path) == before && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			}
			if store.parent != nil {
				stop()
				log, send, stop = start()
				send(fluxEvent{"info", "Progressing", "Health check passed in 1s", store.parent()})
				waitForOutput(t, log, `"outcome":"Healthy"`)
				time.Sleep(time.Second) // the times of events have a resolution of one second
			}
			failed := store.revision()
			send(fluxEvent{"error", "ReconciliationFailed", "ConfigMap/default/bad dry-run failed (Forbidden): denied by policy\n", failed})
			waitForOutput(t, log, `"rule":"KS080"`)
			_, commit, _ := strings.Cut(failed, "@sha1:")
			waitForOutput(t, log, "it was rolled back, because revision "+commit)
			if got := store.read(path); got != before {
				t.Errorf("the store has\n%s\nwant\n%s", got, before)
			}
			stop()
		})
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func rollbackInGit(t *testing.T) rollbackStore {
	repository := filepath.Join(t.TempDir(), "store.git")
	return rollbackStore{
		manifests: "apiVersion: platform.kratix.io/v1alpha1\nkind: GitStateStore\nmetadata: {name: default}\nspec: {url: 'file://" + repository + "', branch: main}\n",
		revision:  func() string { return "main@sha1:" + gittest.Git(t, repository, "rev-parse", "main") },
		parent:    func() string { return "main@sha1:" + gittest.Git(t, repository, "rev-parse", "main~1") },
		read:      func(path string) string { return gittest.Git(t, repository, "show", "main:"+path) },
	}
}

func rollbackInABucket(t *testing.T) rollbackStore {
	server := buckettest.MinIO(t)
	name := server.Bucket(t)
	return rollbackStore{
		manifests: "apiVersion: platform.kratix.io/v1alpha1\nkind: BucketStateStore\nmetadata: {name: default}\n" +
			"spec: {endpoint: '" + server.Endpoint + "', bucketName: " + name + ", insecure: true, secretRef: {name: s3, namespace: default}}\n" +
			"---\napiVersion: v1\nkind: Secret\nmetadata: {name: s3, namespace: default}\nstringData: {accessKeyID: " + buckettest.AccessKey + ", secretAccessKey: " + buckettest.SecretKey + "}\n",
		revision: func() string {
			hash := sha256.New()
			for info := range server.Client.ListObjectsIter(t.Context(), name, minio.ListObjectsOptions{Prefix: "worker-1/", Recursive: true}) {
				_, _ = fmt.Fprintf(hash, "%s %s\n", info.Key, info.ETag)
			}
			return fmt.Sprintf("sha256:%x", hash.Sum(nil))
		},
		read: func(path string) string {
			object, err := server.Client.GetObject(t.Context(), name, path, minio.GetObjectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var content bytes.Buffer
			_, _ = content.ReadFrom(object)
			return content.String()
		},
	}
}
