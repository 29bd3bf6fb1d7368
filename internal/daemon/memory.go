package daemon

import (
	"os"
	"runtime/debug"
)

// heapGrowth is the GOGC of a daemon: the percentage by which the heap may grow before a garbage
// collection. Most of a daemon's memory is cache, so Go's default of 100 would double it.
const heapGrowth = 50

// boundHeap sets GOGC to heapGrowth, unless the environment variable GOGC is set. GOMEMLIMIT also
// applies.
func boundHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
