package kube

import (
	"reflect"
	"sync"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type effect int

const (
	nothing effect = iota
	// renewed means that an object has a new generation with the same content.
	renewed
	// changed means that an object is new, gone or different.
	changed
)

// renewalInterval is the minimum interval between rounds for renewed objects. Kratix may renew a
// Work ten times a second.
const renewalInterval = time.Second

// throttle calls requestRound for calls of note, but at most once per renewalInterval.
type throttle struct {
	requestRound func()

	mu sync.Mutex
	// cooling means that renewalInterval has not elapsed since the last call of requestRound.
	// pending means that note was called in this time.
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
	t.requestRound()
}

func (t *throttle) intervalEnded() {
	t.mu.Lock()
	again := t.pending
	t.pending, t.cooling = false, again
	t.mu.Unlock()
	if again {
		time.AfterFunc(renewalInterval, t.intervalEnded)
		t.requestRound()
	}
}

// sameContent reports whether two Works have the same Promise, resource and groups.
func sameContent(a, b *kratix.Work) bool {
	return a.Spec.PromiseName == b.Spec.PromiseName && a.Spec.ResourceName == b.Spec.ResourceName &&
		reflect.DeepEqual(a.Spec.WorkloadGroups, b.Spec.WorkloadGroups)
}

// samePlacement reports whether two WorkPlacements have the same contents.
func samePlacement(a, b *kratix.WorkPlacement) bool { return a.Spec.SameContents(b.Spec) }
