package oci_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/servertest"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci/ocitest"
)

const (
	benchDestinations = 50
	benchPlacements   = 1000
)

// BenchmarkPlacements writes 1,000 placements on 50 Destinations to a registry and to a bucket. It
// also measures a round that changes nothing, and a round that changes a file.
func BenchmarkPlacements(b *testing.B) {
	registry, server := ocitest.Registry(b), buckettest.MinIO(b)
	registryProxy, bucketProxy := ocitest.NewProxy(b, registry), buckettest.NewProxy(b, server.Endpoint)
	for b.Loop() {
		var pool oci.Pool
		prefix := ocitest.Prefix()
		fleet := func(endpoint string) []statestore.Store {
			var stores []statestore.Store
			for d := range benchDestinations {
				c := config(endpoint)
				c.URL, c.Dir, c.Keep = "oci://"+endpoint+"/"+prefix, directory(d), 10
				store, err := pool.Open(c)
				if err != nil {
					b.Fatal(err)
				}
				stores = append(stores, store)
			}
			return stores
		}
		name := server.Bucket(b)
		single := func(endpoint string) []statestore.Store {
			store, err := bucket.Open(bucket.Config{
				Name: "BucketStateStore default", Endpoint: endpoint, Insecure: true, Bucket: name,
				Auth: bucket.Auth{AccessKeyID: buckettest.AccessKey, SecretAccessKey: buckettest.SecretKey},
			})
			if err != nil {
				b.Fatal(err)
			}
			return []statestore.Store{store}
		}
		measure(b, "oci", fleet(registry), fleet(registryProxy.Endpoint), registryProxy)
		measure(b, "bucket", single(server.Endpoint), single(bucketProxy.Endpoint), bucketProxy)
	}
	b.ReportMetric(0, "ns/op")
}

// measure writes all placements through direct, and counts the requests of later rounds through
// proxied.
func measure(b *testing.B, kind string, direct, proxied []statestore.Store, proxy *servertest.Proxy) {
	b.Helper()
	files := placements()
	begun := b.Elapsed()
	writeAll(b, direct, files)
	b.ReportMetric(benchPlacements/(b.Elapsed()-begun).Seconds(), kind+"-placements/s")
	writeAll(b, proxied, files)
	proxy.Requests()
	begun = b.Elapsed()
	writeAll(b, proxied, files)
	b.ReportMetric(float64((b.Elapsed()-begun).Microseconds())/1000, kind+"-unchanged-ms")
	b.ReportMetric(float64(len(proxy.Requests())), kind+"-unchanged-requests")
	files[0].Content = []byte("changed: true\n")
	begun = b.Elapsed()
	writeAll(b, proxied, files)
	b.ReportMetric(float64((b.Elapsed()-begun).Microseconds())/1000, kind+"-change-ms")
	b.ReportMetric(float64(len(proxy.Requests())), kind+"-change-requests")
}

// writeAll runs a round. Each of several stores gets the files of one Destination.
func writeAll(b *testing.B, stores []statestore.Store, files []tree.File) {
	b.Helper()
	var parts []statestore.StoreChanges
	for d, store := range stores {
		state, err := store.Read(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		own := files
		if len(stores) > 1 {
			own = nil
			for _, file := range files {
				if file.Path.Within(testkit.Path(directory(d))) {
					own = append(own, file)
				}
			}
		}
		if changes := statestore.Diff(state, own, keep); !changes.Empty() {
			parts = append(parts, statestore.StoreChanges{Store: store, Changes: changes})
		}
	}
	for _, outcome := range statestore.Commit(b.Context(), parts) {
		if outcome.Err != nil {
			b.Fatal(outcome.Err)
		}
	}
}

func keep(tree.Path) bool { return false }

func directory(destination int) string { return fmt.Sprintf("worker-%02d", destination) }

func placements() []tree.File {
	var files []tree.File
	for i := range benchPlacements {
		dir, name := directory(i%benchDestinations), fmt.Sprintf("r%05d", i)
		for _, path := range []string{"/resources/default/app/" + name + "/instance/5058f/a.yaml", "/resources/default/app/" + name + "/instance/5058f/b.yaml", "/.kratix/" + name + ".yaml"} {
			files = append(files, tree.File{Path: testkit.Path(dir + path), Content: fmt.Appendf(nil, "name: %s\n%s", path, bytes.Repeat([]byte("key: value\n"), 50))})
		}
	}
	tree.SortFiles(files)
	return files
}
