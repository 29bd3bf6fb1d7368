package daemon

import (
	"runtime"
	"testing"
)

func TestHeapGrowthIsBounded(t *testing.T) {
	for live, want := range map[uint64]int{0: 35, 64 << 20: 35, 365 << 20: 35, 1 << 30: 12, 2 << 30: 6, 40 << 30: 5} {
		if got := growthOf(live); got != want {
			t.Errorf("a heap of %d MiB may grow by %d %%, want %d", live>>20, got, want)
		}
	}
}

func TestLiveHeapIsKnown(t *testing.T) {
	held := make([]byte, 8<<20)
	runtime.GC()
	if live := liveHeap(); live < uint64(len(held)) {
		t.Errorf("%d bytes are in use, with %d held", live, len(held))
	}
	runtime.KeepAlive(held)
}
