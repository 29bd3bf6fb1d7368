package kube_test

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

func BenchmarkHeld(b *testing.B) {
	const works, size = 20_000, 2560
	a := newAPI(b)
	for i := range works {
		name := fmt.Sprintf("w%05d", i)
		var content strings.Builder
		for block := 0; content.Len() < size; block++ {
			fmt.Fprintf(&content, "%x", sha256.Sum256(fmt.Append(nil, name, block)))
		}
		filled := strings.NewReplacer(`"content":"x"`, `"content":"`+content.String()[:size]+`"`)
		a.put("works", filled.Replace(workJSON(name, "")))
		a.put("workplacements", filled.Replace(placementJSON(name, "", `"versionID":"c0ffee"`)))
	}
	a.set(func(a *api) { a.history = nil })
	for b.Loop() {
		before := heap()
		s, err := kube.New(a.config(), kube.Options{})
		if err != nil {
			b.Fatal(err)
		}
		s.Follow(b.Context())
		got, err := s.Snapshot(b.Context())
		for try := 0; err != nil && try < 10; try++ { // each attempt times out after half a minute
			got, err = s.Snapshot(b.Context())
		}
		if err != nil || len(got.Works) != works || len(got.Existing) != works {
			b.Fatalf("%d Works, %d WorkPlacements, %v", len(got.Works), len(got.Existing), err)
		}
		b.ReportMetric(float64(heap()-before)/works, "B/Work")
		runtime.KeepAlive(s)
		runtime.KeepAlive(got)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc) //nolint:gosec // it fits
}
