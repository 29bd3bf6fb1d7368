package daemon

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The heap may grow by heapGrowth percent between two garbage collections, but by at most
// maxHeapGrowth bytes or minHeapGrowth percent, whichever is more.
const (
	heapGrowth    = 35
	minHeapGrowth = 5
	maxHeapGrowth = 128 << 20
)

// heapGrowthInterval is the time between two adaptations of GOGC.
const heapGrowthInterval = time.Second

// boundHeap adapts GOGC to the size of the heap until ctx ends, unless GOGC is set in the
// environment.
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

// growthOf returns the percentage by which a heap of the given size may grow.
func growthOf(live uint64) int {
	return int(min(heapGrowth, max(minHeapGrowth, maxHeapGrowth*100/max(live, 1))))
}

// liveHeap returns the number of bytes that the last garbage collection marked as live, or 0 if it
// is not known.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
