package daemon

import (
	"os"
	"runtime/debug"
)

// heapGrowth is by how much of what is in use the heap of a daemon may grow, in
// percent, before what is not in use is taken back. Go's own value is 100; most
// of a daemon's memory is what it remembers, and twice of that would be taken.
const heapGrowth = 50

// boundHeap sets that, unless the user has set another value with Go's own
// variable. GOMEMLIMIT counts beside it.
func boundHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
