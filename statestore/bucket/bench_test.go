package bucket_test

import (
	"bytes"
	"fmt"
	"net/http"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/kratix-schedule/kratix-schedule/internal/servertest"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// BenchmarkWrite writes placements of three files with the store, with concurrent puts, and in the
// order of Kratix's writer.
func BenchmarkWrite(b *testing.B) {
	server := buckettest.MinIO(b)
	for _, c := range []struct {
		latency time.Duration
		ordered int
		raw     []int
	}{{0, 1000, []int{4, 8, 16, 32}}, {20 * time.Millisecond, 20, []int{16, 32, 64}}} {
		b.Run(fmt.Sprintf("latency=%s", c.latency), func(b *testing.B) {
			var ours, ordered []float64
			raw := map[int][]float64{}
			endpoint := server.Endpoint
			if c.latency > 0 {
				endpoint = servertest.Slow(b, server.Endpoint, c.latency)
			}
			client := rawClient(b, endpoint)
			for b.Loop() {
				name := server.Bucket(b)
				ours = append(ours, rate(1000, func() { byStore(b, endpoint, name, 1000) }))
				for _, width := range c.raw {
					raw[width] = append(raw[width], rate(1000, func() { byPuts(b, client, name, width, 1000) }))
				}
				ordered = append(ordered, rate(c.ordered, func() { inOrder(b, client, name, c.ordered) }))
			}
			best := 0.0
			for width, rates := range raw {
				b.ReportMetric(median(rates), fmt.Sprintf("raw%d/s", width))
				best = max(best, median(rates))
			}
			b.ReportMetric(median(ours), "store/s")
			b.ReportMetric(median(ordered), "ordered/s")
			b.ReportMetric(median(ours)/best, "of-raw")
			b.ReportMetric(median(ours)/median(ordered), "x-ordered")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func rawClient(b *testing.B, endpoint string) *minio.Client {
	b.Helper()
	client, err := minio.New(endpoint, &minio.Options{
		Creds:     credentials.NewStaticV4(buckettest.AccessKey, buckettest.SecretKey, ""),
		Transport: &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 256, DisableCompression: true},
	})
	if err != nil {
		b.Fatal(err)
	}
	return client
}

func rate(n int, do func()) float64 {
	begun := time.Now()
	do()
	return float64(n) / time.Since(begun).Seconds()
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func byStore(b *testing.B, endpoint, name string, placements int) {
	b.Helper()
	c := config(endpoint, name)
	c.Path = "store"
	store := open(b, c)
	if _, err := store.Apply(b.Context(), statestore.ChangeSet{Base: storetest.Read(b, store).Revision, Write: numbered(b, placements)}); err != nil {
		b.Fatal(err)
	}
}

func byPuts(b *testing.B, client *minio.Client, name string, width, placements int) {
	b.Helper()
	files := numbered(b, placements)
	var (
		group sync.WaitGroup
		next  atomic.Int64
	)
	for range width {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(files); i = int(next.Add(1)) - 1 {
				rawPut(b, client, name, fmt.Sprintf("raw%d/%s", width, files[i].Path), files[i].Content)
			}
		})
	}
	group.Wait()
}

func rawPut(b *testing.B, client *minio.Client, name, key string, content []byte) {
	_, err := client.PutObject(b.Context(), name, key, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{ContentType: "application/yaml"})
	if err != nil {
		b.Error(err)
	}
}

func inOrder(b *testing.B, client *minio.Client, name string, placements int) {
	b.Helper()
	for placement := range slices.Chunk(numbered(b, placements), 3) {
		prefix := "ordered/" + path.Dir(placement[0].Path.String()) + "/"
		for object := range client.ListObjectsIter(b.Context(), name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
			if object.Err != nil {
				b.Fatal(object.Err)
			}
		}
		if there, err := client.BucketExists(b.Context(), name); err != nil || !there {
			b.Fatal(there, err)
		}
		for _, file := range placement {
			key := "ordered/" + file.Path.String()
			if _, err := client.StatObject(b.Context(), name, key, minio.StatObjectOptions{}); err == nil {
				b.Fatal(key, "is there already")
			}
			rawPut(b, client, name, key, file.Content)
		}
	}
}

func numbered(b testing.TB, placements int) []tree.File {
	b.Helper()
	files := make([]tree.File, 0, 3*placements)
	for i := range placements {
		for f := range 3 {
			path := testkit.Path(fmt.Sprintf("worker-%d/resources/default/app/r%05d/instance/5058f/%d.yaml", i%10, i/10, f))
			files = append(files, tree.File{Path: path, Content: fmt.Appendf(nil, "name: r%d-%d\n%s", i, f, bytes.Repeat([]byte("key: value\n"), 50))})
		}
	}
	tree.SortFiles(files)
	return files
}

func BenchmarkUnchangedRound(b *testing.B) {
	server := buckettest.MinIO(b)
	name := server.Bucket(b)
	files := numbered(b, 1000)
	byStore(b, server.Endpoint, name, 1000)
	proxy := buckettest.NewProxy(b, server.Endpoint)
	b.Run("store", func(b *testing.B) {
		c := config(proxy.Endpoint, name)
		c.Path = "store"
		store := open(b, c)
		storetest.Read(b, store)
		proxy.Requests()
		for b.Loop() {
			if changes := statestore.Diff(storetest.Read(b, store), files, nil); !changes.Empty() {
				b.Fatal("something changed")
			}
		}
		b.ReportMetric(float64(len(proxy.Requests()))/float64(b.N), "requests/op")
	})
	b.Run("baseline=stat", func(b *testing.B) {
		client := rawClient(b, proxy.Endpoint)
		proxy.Requests()
		for b.Loop() {
			for _, file := range files {
				if _, err := client.StatObject(b.Context(), name, "store/"+file.Path.String(), minio.StatObjectOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(len(proxy.Requests()))/float64(b.N), "requests/op")
	})
}

// BenchmarkRead reads stores of several sizes from a server in memory.
func BenchmarkRead(b *testing.B) {
	for _, objects := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("objects=%d", objects), func(b *testing.B) {
			store := open(b, config(buckettest.Fake(b, objects), "fake"))
			b.ReportAllocs()
			for b.Loop() {
				if got := storetest.Read(b, store).Files.Len(); got != objects {
					b.Fatalf("%d files", got)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*objects), "ns/object")
		})
	}
}

func BenchmarkMemory(b *testing.B) {
	const objects = 100_000
	endpoint := buckettest.Fake(b, objects)
	var peak []float64
	for b.Loop() {
		peak = append(peak, peakOf(b, endpoint))
	}
	b.ReportMetric(median(peak), "peak-MiB")
}
