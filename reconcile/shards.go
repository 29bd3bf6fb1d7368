package reconcile

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// agrees reports whether a choice of a Destination must be recorded on the Work before files are
// written.
func (r *Reconciler) agrees() bool { return r.Selects != nil && r.Planner == nil }

func writableStores(r *Reconciler, stores []*desired, out *reporter) []*desired {
	var ready []*desired
	unselected := idleStores{}
	for _, store := range stores {
		switch {
		case r.Selects != nil && !r.Selects(store.labels()):
			waiting := out.addUnselected(store)
			out.add(unselected.add(r.idle, store.storeView, waiting, r.time())...)
		case store.failed != nil:
			out.addFailed(store)
		default:
			ready = append(ready, store)
		}
	}
	r.idle = unselected
	return ready
}

// idleAfter is the time after which an unchanged state store of another shard is reported if it has
// pending placements. It is twice the default interval of rounds.
const idleAfter = 10 * time.Minute

type idleStores map[kratix.StateStoreReference]idleStore

// idleStore is a revision of a state store, and the time since which placements are pending on it.
type idleStore struct {
	revision statestore.Revision
	since    time.Time
}

// add adds a store with pending placements. It returns a finding if the store has not changed for
// idleAfter.
func (s idleStores) add(before idleStores, store *storeView, waiting int, now time.Time) []finding.Finding {
	if waiting == 0 || now.IsZero() {
		return nil
	}
	was, known := before[store.ref]
	if !known || was.revision != store.state.Revision {
		was = idleStore{store.state.Revision, now}
	}
	s[store.ref] = was
	if now.Sub(was.since) < idleAfter {
		return nil
	}
	labelled := "it has no labels"
	if of := store.labels(); len(of) > 0 {
		labelled = "its labels are " + labels.FormatLabels(of)
	}
	return []finding.Finding{{
		Rule: finding.StoreWithoutShard(), Place: finding.Place{Object: store.ref.String()},
		Message: fmt.Sprintf("%s for another shard, and none has written there for %s; %s",
			countOf(waiting, "placement waits", "placements wait"), idleAfter, labelled),
	}}
}
