package dir

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// fleet is the number of Works in the benchmarks.
const fleet = 100_000

func request(i int, label string) string {
	text := fmt.Sprintf(`apiVersion: platform.kratix.io/v1alpha1
kind: Work
metadata:
  name: postgresql-db-%d
  namespace: team-%d
  labels:
    kratix.io/promise-name: postgresql
    kratix.io/resource-name: db-%d
    kratix.io/work-type: resource
    changed: "%s"
spec:
  promiseName: postgresql
  resourceName: db-%d
  workloadGroups:
  - directory: .
    id: %s
    destinationSelectors:
    - matchLabels: {environment: dev}
      source: promise
    workloads:
`, i, i%300, i, label, i, kratix.GroupID("."))
	for _, file := range []string{"database", "service", "secret"} {
		content := kratix.Encode(fmt.Appendf(nil, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s-%d\n  namespace: team-%d\ndata:\n  key: value\n", file, i, i%300))
		text += fmt.Sprintf("    - filepath: %s.yaml\n      content: %q\n", file, content)
	}
	return text
}

func benchFile(root string, i int) string {
	return filepath.Join(root, fmt.Sprintf("work-%06d.yaml", i))
}

func fleetDir(b *testing.B) string {
	b.Helper()
	root := b.TempDir()
	for i := range fleet {
		if err := os.WriteFile(benchFile(root, i), []byte(request(i, "no")), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return root
}

func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func BenchmarkFleet(b *testing.B) {
	root := fleetDir(b)
	read := func(b *testing.B, s *Source) {
		b.Helper()
		snapshot, err := s.Snapshot(b.Context())
		if err != nil || len(snapshot.Works) != fleet || len(snapshot.Findings) > 0 {
			b.Fatalf("%d Works, %d findings, error %v", len(snapshot.Works), len(snapshot.Findings), err)
		}
	}
	// The clock is an hour ahead, so that no file counts as just changed.
	s := &Source{Paths: []string{root}, Now: func() time.Time { return time.Now().Add(time.Hour) }}
	if _, err := s.Changes(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			before := heap()
			fresh := &Source{Paths: []string{root}}
			read(b, fresh)
			b.ReportMetric(float64(heap()-before)/fleet, "B/Work")
			runtime.KeepAlive(fresh)
		}
	})
	read(b, s)
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			read(b, s)
		}
	})
	b.Run("everything", func(b *testing.B) {
		for b.Loop() {
			s.ReadAll()
			read(b, s)
		}
	})
	b.Run("stats", func(b *testing.B) { // a lower bound for any read of the directory
		for b.Loop() {
			for i := range fleet {
				if _, err := os.Lstat(benchFile(root, i)); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("changed", func(b *testing.B) {
		n := 0
		for b.Loop() {
			b.StopTimer()
			n++
			if err := os.WriteFile(benchFile(root, n*7919%fleet), []byte(request(n*7919%fleet, strconv.Itoa(n))), 0o600); err != nil {
				b.Fatal(err)
			}
			s.pending.mark(benchFile(root, n*7919%fleet))
			b.StartTimer()
			read(b, s)
		}
	})
}
