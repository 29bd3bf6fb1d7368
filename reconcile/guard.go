package reconcile

import (
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// RemovalWindow is the default of Policy.RemovalWindow.
const RemovalWindow = 10 * time.Minute

// The limits of the deletion guard. Within the window so many placements may be
// removed, or one in so many of all, whichever is more: docs/decisions/deletion-guard.md.
const (
	freeRemovals   = 5
	removableOneIn = 5
)

// removals are what the deletion guard judges: the removals of one round over all
// stores, and what there is beside them.
type removals struct {
	// counted are the placements that have lost their Work or group without evidence.
	counted int
	// recent were removed within the window before.
	recent int
	// recorded are all placements there are.
	recorded int
	// works are the Works of the input.
	works int
	// settling means that a Work may still come.
	settling bool
	// missing are objects of the input that may be lost soon: files that are moved or
	// deleted go one by one.
	missing int
}

// judgement is what the deletion guard decides.
type judgement string

// The judgements.
const (
	removalsAllowed judgement = ""
	removalsRefused judgement = "too many would be removed at once"
	removalsDelayed judgement = "its Work is missing, but not for long enough yet"
)

// judge decides about the counted removals of a round: all of them or none.
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

// removalRules are what the deletion guard goes by in a round.
type removalRules struct {
	// now is the time of the round; without one each round is judged alone.
	now     time.Time
	window  time.Duration
	allowed Allowance
	// unreadable is why the user's allowance cannot be read.
	unreadable error
}

// guardVerdict is what the deletion guard has decided about a plan.
type guardVerdict struct {
	removalRules
	removals
	judgement judgement
	// guarded are the counted removals by Destination.
	guarded map[string]int
}

// guard is the judgement as one Destination needs it.
type guard struct {
	judgement
	// ledger is what the Destination's ledger is to hold; empty for none.
	ledger string
	// counts means that removals are added to the ledger.
	counts bool
}

// sameEffect reports whether two guards make the same of a Destination. A ledger
// that has only become old makes no difference.
func (g guard) sameEffect(other guard) bool {
	return g.judgement == other.judgement && g.counts == other.counts && (!g.counts || g.ledger == other.ledger)
}

// hasEvidence reports whether a placement without a Work or group is known to have
// lost it: the Kubernetes API said so.
func (o *observed) hasEvidence(p *kratix.WorkPlacement) bool {
	if _, deleted := slices.BinarySearchFunc(o.DeletedPlacements, kratix.KeyOf(p), kratix.Key.Compare); deleted {
		return true
	}
	if _, deleted := slices.BinarySearchFunc(o.Deleted, p.Work(), kratix.Key.Compare); deleted {
		return true
	}
	if o.Assigned {
		return false // a Work that is here may be that of another Destination
	}
	_, present := slices.BinarySearchFunc(o.Works, p.Work(), func(work *kratix.Work, key kratix.Key) int { return kratix.KeyOf(work).Compare(key) })
	return o.FromAPI && present
}

// countRemovals returns what the guard judges, and the counted removals by Destination.
// Destinations that are not written, or that go with their files, have none.
func countRemovals(o *observed, parts planned, rules removalRules) (removals, map[string]int) {
	all := removals{works: len(o.Works) + len(o.Rejected), settling: o.Settling, missing: o.Missing}
	by := map[string]int{}
	for _, store := range o.stores {
		if store.err != nil {
			continue
		}
		for _, d := range store.destinations {
			all.recorded += len(d.records)
			all.recent += d.ledger.Within(rules.window, rules.now).Sum()
			if n := d.countRecorded(parts[d.Name].removed); n > 0 {
				all.counted += n
				by[d.Name] = n
			}
		}
	}
	return all, by
}

// countRecorded returns how many of the placements have records here and would be
// removed for the loss of their Works.
func (d *destinationView) countRecorded(removed []*kratix.WorkPlacement) int {
	if len(removed) == 0 || d.IsDeleted() {
		return 0
	}
	lost := make(map[*kratix.WorkPlacement]struct{}, len(removed))
	for _, p := range removed {
		lost[p] = struct{}{}
	}
	count := 0
	for _, record := range slices.Concat(d.records, d.guests) {
		if _, is := lost[record.Placement]; is {
			count++
		}
	}
	return count
}

// guardRemovals judges the removals of a plan, and adds the judgement to the part of each
// Destination.
func guardRemovals(o *observed, parts planned, rules removalRules) guardVerdict {
	parts.separateEvidence(o)
	all, by := countRemovals(o, parts, rules)
	verdict := guardVerdict{removalRules: rules, removals: all, judgement: judge(all, rules.allowed), guarded: by}
	for _, store := range o.stores {
		for _, d := range store.destinations {
			if g := verdict.of(d); g != (guard{}) {
				parts.changeOn(d.Name, func(p *part) { p.guard = g })
			}
		}
	}
	return verdict
}

// of returns the verdict as a Destination needs it.
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
		g.judgement = removalsAllowed // it makes no difference here
	}
	return g
}

// separateEvidence takes the placements whose loss is proven out of those that the
// guard judges.
func (p planned) separateEvidence(w *observed) {
	for name, of := range p {
		if !slices.ContainsFunc(of.removed, w.hasEvidence) {
			continue
		}
		of.proven, of.removed = nil, nil
		for _, placement := range p[name].removed {
			if w.hasEvidence(placement) {
				of.proven = append(of.proven, placement)
			} else {
				of.removed = append(of.removed, placement)
			}
		}
		p[name] = of
	}
}
