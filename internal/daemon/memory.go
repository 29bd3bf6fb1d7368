package daemon

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The heap may grow by heapGrowth percent between two garbage collections, but by at most
// maxHeapGrowth bytes. It may always grow by minHeapGrowth percent. Most of the heap is cache, so it
// would double with Go's default of 100 percent.
const (
	heapGrowth    = 35
	minHeapGrowth = 5
	maxHeapGrowth = 256 << 20
)

// heapGrowthInterval is the time after which the percentage is adapted to the size of the heap.
const heapGrowthInterval = time.Second

// boundHeap adapts GOGC to the size of the heap until ctx ends, unless the environment variable GOGC
// is set. GOMEMLIMIT also applies.
func boundHeap(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	percent := heapGrowth
	debug.SetGCPercent(percent)
	ticker := time.NewTicker(heapGrowthInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if now := growthOf(liveHeap()); now != percent {
				percent = now
				debug.SetGCPercent(percent)
			}
		}
	}
}

// growthOf returns the percentage by which a heap with a number of live bytes may grow.
func growthOf(live uint64) int {
	return int(min(heapGrowth, max(minHeapGrowth, maxHeapGrowth*100/max(live, 1))))
}

// liveHeap returns the bytes that the last garbage collection has found in use.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
