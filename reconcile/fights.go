package reconcile

import (
	"fmt"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type fights struct {
	// now is the time of the round. If it is zero, no fights are detected.
	now  time.Time
	of   map[destinationKey]*fight
	over map[destinationKey]tree.Path
}

func (f *fights) begin(now time.Time) {
	f.now = now
	for key, each := range f.of {
		if each.idle() {
			delete(f.of, key)
			delete(f.over, key)
		}
	}
}

// leaveFights excludes the Destinations where another controller undoes the writes of this process.
func leaveFights(o *observed, store *storeView, all *fights) {
	if store.err != nil || store.state.WriteInProgress || store.state.Stepwise || all.now.IsZero() {
		return
	}
	store.destinations = slices.DeleteFunc(store.destinations, func(d *destinationView) bool {
		key := destinationKey{store.ref, d.Name}
		f := all.of[key]
		if f == nil || !f.goesOn(store, d, key, all) {
			return false
		}
		o.leftOut = append(o.leftOut, scheduler.Destination{Destination: d.Destination, Store: scheduler.StoreUnread})
		o.findings = append(o.findings, finding.Finding{
			Rule: finding.ControllersFight(), Place: o.Origins.Of(d.Destination),
			Message: fmt.Sprintf("another controller reverts what is written in its directory %q of %s, as it did with %s; nothing is written there until its records have not changed for a while",
				d.base, store.ref, all.over[key]),
		})
		return true
	})
}

// goesOn reports whether a Destination must be excluded because of a fight.
func (f *fight) goesOn(store *storeView, d *destinationView, key destinationKey, all *fights) bool {
	dir, err := layout.RecordsDir(d.Destination)
	if err != nil {
		return false
	}
	files := store.state.Files
	waits := f.wait(all.now, func(before statestore.Files) bool { return files.Same(before, dir) })
	if !f.stopped && !waits {
		at := func(path tree.Path) content {
			sum, present := files.Digest(path)
			return content{sum, present}
		}
		path, fights := f.see(all.now, at, func(path tree.Path) bool { return slices.Contains(d.invalidRecords, path) })
		if fights {
			if all.over == nil {
				all.over = map[destinationKey]tree.Path{}
			}
			all.over[key] = path
		}
	}
	f.records = statestore.Files{}
	if f.stopped {
		f.records = files.Within(dir)
	}
	return f.stopped
}
