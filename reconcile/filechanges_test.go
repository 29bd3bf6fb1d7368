package reconcile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func newEnvBeyondMemoryBound(t *testing.T) *testEnv {
	w := newEnv(t)
	w.addDestination("worker-2", "two")
	for i := range 6 {
		w.putFiles(fmt.Sprint("r", i), map[string]string{"a.yaml": configMap(fmt.Sprint("r", i), "data: {a: "+strings.Repeat("x", 1<<10)+"}")})
	}
	w.reconciler.cache.outcomes.mayHold = 3 << 10
	return w
}

func TestChangesBeyondTheBoundAreNotHeldInMemory(t *testing.T) {
	w := newEnvBeyondMemoryBound(t)
	w.finish = Preview
	w.round()
	held, dropped := 0, 0
	for _, d := range w.snapshot.Destinations {
		changes := w.cached(d.Name).changes
		for _, file := range changes.Write {
			held += len(file.Content)
		}
		dropped += changes.size
	}
	if dropped < 6<<10 || held > w.reconciler.cache.outcomes.mayHold {
		t.Errorf("%d of %d bytes are held", held, dropped)
	}
	w.finish = Commit
	for name, state := range states(w.round()) {
		if state != report.Placed {
			t.Errorf("%s is %s", name, state)
		}
	}
	reference := newEnvBeyondMemoryBound(t)
	reference.reconciler.cache.outcomes.mayHold = 0
	reference.round()
	if got, want := w.dump(), reference.dump(); got != want {
		t.Errorf("files are %v, want %v", got, want)
	}
}

func TestFilesThatAreRenderedDifferentlyAreNotWritten(t *testing.T) {
	w := newEnvBeyondMemoryBound(t)
	w.finish = Preview
	w.round()
	dropped := 0
	for _, d := range w.snapshot.Destinations {
		o := w.cached(d.Name)
		if o.changes.dropped == nil {
			continue
		}
		dropped++
		o.changes.digests[len(o.changes.digests)-1][0]++
		if _, err := o.changes.files(anyDigest{}); err == nil {
			t.Error("files with other digests are returned")
		}
	}
	if dropped == 0 {
		t.Error("no contents were dropped")
	}
}

type anyDigest struct{ statestore.Contents }

func (anyDigest) Digest([]byte) statestore.Digest { return statestore.Digest{1} }
