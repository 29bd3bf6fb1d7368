package daemon

import (
	"os"
	"runtime/debug"
)

// heapGrowth is GOGC for a daemon: the percentage by which the heap may grow before a garbage
// collection. Go's default is 100; since most of a daemon's memory is cache, that would
// double its memory.
const heapGrowth = 50

// boundHeap sets heapGrowth unless the user sets GOGC. GOMEMLIMIT applies in addition.
func boundHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
