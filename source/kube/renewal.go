package kube

import (
	"reflect"
	"sync"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// effect is the effect of an event on rounds.
type effect int

const (
	// nothing: the result of a round does not change.
	nothing effect = iota
	// renewed: an object has a new generation with the same content.
	renewed
	// changed: an object is new, gone or different.
	changed
)

// renewalInterval is the minimum interval between rounds for renewals. A Promise with static
// dependencies makes Kratix renew its Work about ten times a second, permanently.
const renewalInterval = time.Second

// throttle calls ask when note is called: at once for the first call, and then at most once per
// interval.
type throttle struct {
	ask func()

	mu sync.Mutex
	// cooling means that the interval after the last call has not elapsed; pending means that note
	// was called during the interval.
	cooling, pending bool
}

func (t *throttle) note() {
	t.mu.Lock()
	if t.cooling {
		t.pending = true
		t.mu.Unlock()
		return
	}
	t.cooling = true
	t.mu.Unlock()
	time.AfterFunc(renewalInterval, t.intervalEnded)
	t.ask()
}

// intervalEnded handles the end of an interval.
func (t *throttle) intervalEnded() {
	t.mu.Lock()
	again := t.pending
	t.pending, t.cooling = false, again
	t.mu.Unlock()
	if again {
		time.AfterFunc(renewalInterval, t.intervalEnded)
		t.ask()
	}
}

// sameContent reports whether two versions of a Work have the same content. The time of the
// pipeline run does not matter.
func sameContent(a, b *kratix.Work) bool {
	return a.Spec.PromiseName == b.Spec.PromiseName && a.Spec.ResourceName == b.Spec.ResourceName &&
		reflect.DeepEqual(a.Spec.WorkloadGroups, b.Spec.WorkloadGroups)
}

// samePlacement reports whether two versions of a WorkPlacement differ at most in the
// generation of their Work.
func samePlacement(a, b *kratix.WorkPlacement) bool { return a.Spec.SameContents(b.Spec) }
