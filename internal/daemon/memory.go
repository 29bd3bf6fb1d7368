package daemon

import (
	"os"
	"runtime/debug"
)

// heapGrowth is the GOGC of a daemon: the percentage by which the heap may grow before a garbage
// collection. Most of the heap is cache, so the heap would double with Go's default of 100.
const heapGrowth = 35

// boundHeap sets GOGC to heapGrowth, unless the environment variable GOGC is set. GOMEMLIMIT also
// applies.
func boundHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
