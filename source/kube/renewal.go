package kube

import (
	"reflect"
	"sync"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// news says what an event means for rounds.
type news int

const (
	// nothing: a round would see no difference.
	nothing news = iota
	// renewed: an object has another generation, and the same content.
	renewed
	// changed: a round would see another object, or one that is new or gone.
	changed
)

// renewalInterval is how often renewals ask for a round at most. A Promise with static
// dependencies makes Kratix renew its Work some ten times a second, for ever.
const renewalInterval = time.Second

// throttle calls ask for what is noted: at once, and then once an interval at most.
type throttle struct {
	ask func()

	mu sync.Mutex
	// cooling means that the interval after the last call has not passed, and pending
	// that something was noted since.
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
	time.AfterFunc(renewalInterval, t.cool)
	t.ask()
}

// cool ends an interval.
func (t *throttle) cool() {
	t.mu.Lock()
	again := t.pending
	t.pending, t.cooling = false, again
	t.mu.Unlock()
	if again {
		time.AfterFunc(renewalInterval, t.cool)
		t.ask()
	}
}

// sameContent reports whether two versions of a Work ask for the same: when its
// pipeline ran is nothing that a round depends on.
func sameContent(a, b *kratix.Work) bool {
	return a.Spec.PromiseName == b.Spec.PromiseName && a.Spec.ResourceName == b.Spec.ResourceName &&
		reflect.DeepEqual(a.Spec.WorkloadGroups, b.Spec.WorkloadGroups)
}

// samePlacement reports whether two versions of a WorkPlacement differ at most in the
// generation of their Work.
func samePlacement(a, b *kratix.WorkPlacement) bool { return a.Spec.SameContents(b.Spec) }
