package daemon

import (
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/source"
)

func TestRoundUsesTheStateThatWasReadAhead(t *testing.T) {
	var counts []int
	for _, ahead := range []bool{false, true} {
		prepare := func(b *bubble) {
			if !ahead {
				return
			}
			b.daemon.ReadAhead(t.Context(), source.Snapshot{}) // no Destination names a store
			if asked, _ := b.counts(); asked != 0 {
				t.Errorf("asked %d times for no store", asked)
			}
			b.daemon.ReadAhead(t.Context(), b.snapshot)
			b.daemon.ReadAhead(t.Context(), b.snapshot)
			if asked, _ := b.counts(); asked != 1 {
				t.Errorf("asked %d times, want once", asked)
			}
			b.asked = 1
		}
		inABubbleWith(t, prepare, func(_ *testing.T, b *bubble) {
			time.Sleep(time.Second)
			asked, _ := b.counts()
			counts = append(counts, asked)
		})
	}
	if counts[0] != counts[1] || counts[0] == 0 {
		t.Errorf("the store is asked %d times, and %d times after it was read ahead", counts[0], counts[1])
	}
}
