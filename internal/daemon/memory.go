package daemon

import (
	"os"
	"runtime/debug"
)

// heapGrowth is the GOGC of a daemon: the percentage by which the heap may grow before a garbage
// collection. With Go's default of 100, memory would double, since most of a daemon's memory is
// cache.
const heapGrowth = 50

// boundHeap sets GOGC to heapGrowth unless the user sets it. GOMEMLIMIT also applies.
func boundHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
