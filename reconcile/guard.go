package reconcile

import (
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// RemovalWindow is the default of Policy.RemovalWindow.
const RemovalWindow = 10 * time.Minute

// Within the window, freeRemovals placements or one in removableOneIn placements may be removed,
// whichever is more. See docs/decisions/deletion-guard.md.
const (
	freeRemovals   = 5
	removableOneIn = 5
)

// removals is the input of the deletion guard.
type removals struct {
	// counted is the number of removals without evidence that the Work or group was deleted.
	counted int
	// recent is the number of earlier removals within the window.
	recent int
	// recorded is the number of placements with a record.
	recorded int
	works    int
	// settling means that the input may still be incomplete.
	settling bool
	// missing is the number of objects that have been missing from the input for less than the removal
	// delay.
	missing int
}

type judgement string

const (
	removalsAllowed judgement = ""
	removalsRefused judgement = "too many would be removed at once"
	removalsDelayed judgement = "its Work is missing, but not for long enough yet"
)

// judge returns the decision about the counted removals of a round. It is the same for all of them.
func judge(r removals, allowed Allowance) judgement {
	sum, most := r.counted+r.recent, max(freeRemovals, (r.recorded+r.recent)/removableOneIn)
	switch {
	case r.counted == 0:
		return removalsAllowed
	case r.settling:
		return removalsDelayed
	case allowed.covers(sum):
		return removalsAllowed
	case r.works == 0 || sum > most:
		return removalsRefused
	case sum+r.missing > most:
		return removalsDelayed
	}
	return removalsAllowed
}

type removalRules struct {
	// now is the time of the round. It is zero without a clock.
	now        time.Time
	window     time.Duration
	allowed    Allowance
	unreadable error
}

type guardVerdict struct {
	removalRules
	removals
	judgement judgement
	guarded   map[string]int
}

type guard struct {
	judgement
	// ledger is the new content of the Destination's ledger, or empty.
	ledger string
	counts bool
}

// sameEffect reports whether two guards lead to the same outcome on a Destination.
func (g guard) sameEffect(other guard) bool {
	return g.judgement == other.judgement && g.counts == other.counts && (!g.counts || g.ledger == other.ledger)
}

// countRemovals returns the input of the guard, and the counted removals by Destination.
func countRemovals(o *observed, parts planned, rules removalRules) (removals, map[string]int) {
	all := removals{works: len(o.Works) + len(o.Rejected), settling: o.Settling, missing: o.Missing}
	by := map[string]int{}
	for _, store := range o.stores {
		if store.err != nil {
			continue
		}
		for _, d := range store.destinations {
			all.recorded += len(d.records)
			all.recent += d.ledger.Within(rules.window, rules.now).Total()
			if n := d.countRecorded(parts[d.Name].removed); n > 0 {
				all.counted += n
				by[d.Name] = n
			}
		}
	}
	return all, by
}

// countRecorded returns the number of removed placements with records in the Destination's
// directory, or 0 if the Destination is being deleted.
func (d *destinationView) countRecorded(removed []*kratix.WorkPlacement) int {
	if len(removed) == 0 || d.IsDeleted() {
		return 0
	}
	lost := make(map[*kratix.WorkPlacement]struct{}, len(removed))
	for _, p := range removed {
		lost[p] = struct{}{}
	}
	count := 0
	for _, record := range slices.Concat(d.records, d.inherited) {
		if _, is := lost[record.Placement]; is {
			count++
		}
	}
	return count
}

func guardRemovals(o *observed, parts planned, rules removalRules) guardVerdict {
	all, by := countRemovals(o, parts, rules)
	return guardVerdict{removalRules: rules, removals: all, judgement: judge(all, rules.allowed), guarded: by}
}

func (v *guardVerdict) of(d *destinationView) guard {
	n := v.guarded[d.Name]
	g := guard{judgement: v.judgement}
	recent := d.ledger.Within(v.window, v.now)
	if n > 0 && g.judgement == removalsAllowed && !v.now.IsZero() {
		recent, g.counts = recent.With(n, v.now), true
	}
	switch {
	case g.counts:
		g.ledger = string(recent.Content())
	case len(recent) > 0:
		g.ledger = d.ledgerText
	}
	if n == 0 {
		g.judgement = removalsAllowed // no removal on this Destination is counted
	}
	return g
}
