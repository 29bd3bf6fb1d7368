package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
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

// guard is the judgement as one Destination needs it.
type guard struct {
	judgement
	// ledger is what the Destination's ledger is to hold; empty for none.
	ledger string
	// counts means that removals are added to the ledger.
	counts bool
}

// settlesAs reports whether two guards make the same of a Destination. A ledger
// that has only become old makes no difference.
func (g guard) settlesAs(other guard) bool {
	return g.judgement == other.judgement && g.counts == other.counts && (!g.counts || g.ledger == other.ledger)
}

// hasEvidence reports whether a placement without a Work or group is known to have
// lost it: the Kubernetes API said so.
func (w *world) hasEvidence(p *kratix.WorkPlacement) bool {
	if _, deleted := slices.BinarySearchFunc(w.DeletedPlacements, kratix.KeyOf(p), kratix.Key.Compare); deleted {
		return true
	}
	if _, deleted := slices.BinarySearchFunc(w.Deleted, p.Work(), kratix.Key.Compare); deleted {
		return true
	}
	if w.Assigned {
		return false // a Work that is here may be that of another Destination
	}
	_, present := slices.BinarySearchFunc(w.Works, p.Work(), func(work *kratix.Work, key kratix.Key) int { return kratix.KeyOf(work).Compare(key) })
	return w.FromAPI && present
}

// count returns what the guard judges, and the counted removals by Destination.
// Destinations that are not written, or that go with their files, have none.
func (w *world) count(parts planned) (removals, map[string]int) {
	all := removals{works: len(w.Works) + len(w.Rejected), settling: w.Settling, missing: w.Missing}
	by := map[string]int{}
	for _, store := range w.stores {
		if store.err != nil {
			continue
		}
		for _, d := range store.destinations {
			all.recorded += len(d.records)
			all.recent += d.ledger.Within(w.window, w.now).Sum()
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

// guard judges the removals of a plan, and hands the judgement to each
// Destination.
func (w *world) guard(parts planned) {
	parts.separateEvidence(w)
	all, by := w.count(parts)
	w.removals, w.judgement = all, judge(all, w.allowed)
	for _, store := range w.stores {
		for _, d := range store.destinations {
			g := guard{judgement: w.judgement}
			recent := d.ledger.Within(w.window, w.now)
			if n := by[d.Name]; n > 0 && g.judgement == removalsAllowed && !w.now.IsZero() {
				recent, g.counts = recent.With(n, w.now), true
			}
			switch {
			case g.counts:
				g.ledger = string(recent.Content())
			case len(recent) > 0:
				g.ledger = d.ledgerText
			}
			if by[d.Name] == 0 {
				g.judgement = removalsAllowed // it makes no difference here
			}
			if g != (guard{}) {
				parts.changeOn(d.Name, func(p *part) { p.guard = g })
			}
		}
	}
	w.guarded = by
}

// separateEvidence takes the placements whose loss is proven out of those that the
// guard judges.
func (p planned) separateEvidence(w *world) {
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

// guardFindings reports what the guard keeps; missing looks for the reason.
func (w *world) guardFindings(ctx context.Context, missing func(context.Context) []string) []finding.Finding {
	counted := fmt.Sprintf("%d of %d placements have lost their Works or groups", w.removals.counted, w.removals.recorded)
	switch w.judgement {
	case removalsDelayed:
		return []finding.Finding{{
			Rule: finding.DeletionsHeld(), Place: w.guardedPlace(),
			Message: counted + "; they stay until that has lasted, since the input has only just been read",
			Fix:     "Nothing, if they are to go; else bring the Works back.",
		}}
	case removalsRefused:
	default:
		return nil
	}
	if w.removals.recent > 0 {
		counted += fmt.Sprintf(", and %d more were removed in the last %s", w.removals.recent, w.window)
	}
	if n := len(w.guarded); n > 1 {
		counted += fmt.Sprintf(", on %d Destinations", n)
	}
	sum := w.removals.counted + w.removals.recent
	reasons := w.reasons(ctx, missing)
	message := strings.Join(append([]string{counted}, reasons...), "; ") +
		fmt.Sprintf("; none of them is removed without --allow-removals %d", sum)
	return []finding.Finding{{
		Rule: finding.DeletionsRefused(), Place: w.guardedPlace(), Message: message,
		Fix: fmt.Sprintf("Bring the Works back. If they are to go, run once with --allow-removals %d, or write it to the --allow-removals-file of the daemon.", sum),
	}}
}

// guardedPlace returns the Destination that the guard acts on, if it is one.
func (w *world) guardedPlace() finding.Place {
	for _, d := range w.Destinations {
		if len(w.guarded) == 1 && w.guarded[d.Name] > 0 {
			return finding.Place{Object: kratix.Describe(d)}
		}
	}
	return finding.Place{}
}

// namedFiles is how many empty files a message names.
const namedFiles = 3

// reasons returns why Works may be missing.
func (w *world) reasons(ctx context.Context, missing func(context.Context) []string) []string {
	var reasons []string
	if w.removals.works == 0 {
		reasons = append(reasons, "the input has no Work at all")
	}
	for _, name := range w.Empty[:min(len(w.Empty), namedFiles)] {
		reasons = append(reasons, name+" is empty")
	}
	if missing != nil {
		reasons = append(reasons, missing(ctx)...)
	}
	if w.allowedWhy != nil {
		reasons = append(reasons, w.allowedWhy.Error())
	}
	return reasons
}

// emptyFindings reports the empty files of an input that removes nothing because
// of them.
func (w *world) emptyFindings() []finding.Finding {
	var findings []finding.Finding
	for _, name := range w.Empty {
		findings = append(findings, finding.Finding{
			Rule: finding.KeptFromBefore(), Place: finding.Place{File: name},
			Message: "the file is empty and what it held before is not known, so no placement that has lost its Work is removed",
		})
	}
	return findings
}
