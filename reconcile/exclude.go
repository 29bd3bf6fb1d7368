package reconcile

import (
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// exclusion is the reason why a unit is not written while its content has this digest.
type exclusion struct {
	digest digest
	// isKnown means that the server is known to refuse this unit. Otherwise another unit may be the
	// cause.
	isKnown bool
	answer  answer
}

type answer struct{ message, fix string }

type exclusions map[string]map[unit]exclusion

func (e exclusions) add(of unit, why exclusion) {
	if e[of.destination] == nil {
		e[of.destination] = map[unit]exclusion{}
	}
	e[of.destination][of] = why
}

func (e exclusion) state() (report.State, string) {
	if !e.isKnown {
		return report.Failed, "the server refused a change with it; it is tried again in a smaller one"
	}
	return report.HeldBack, "the server refuses it: " + e.answer.message
}

func (w *wanted) exclude(p *placement) {
	e, excluded := w.excluded[unitOf(p.WorkPlacement)]
	if !excluded || !p.writable() || e.digest != digestOf(p.rendering.Files) {
		return
	}
	p.state, p.reason = e.state()
	w.add(w.refusal(e, finding.Place{Object: p.object()}, "its files")...)
}

func (w *wanted) excludeRemovals() {
	if len(w.excluded) == 0 {
		return
	}
	var removed []recordView
	for _, record := range w.removed {
		e, excluded := w.excluded[unitOf(record.Placement)]
		if !excluded || e.digest != removalDigest() {
			removed = append(removed, record)
			continue
		}
		_, reason := e.state()
		w.keep(record.Placement, "to be removed: "+reason)
		w.add(w.refusal(e, finding.Place{Object: kratix.WorkKind + " " + record.Placement.Work().String()}, "the removal of its files")...)
	}
	w.removed = removed
}

func (w *wanted) excludeRest() {
	e, excluded := w.excluded[unit{destination: w.Name}]
	if !excluded {
		return
	}
	w.restExcluded, w.fixtures, w.retired = true, nil, nil
	w.add(w.refusal(e, finding.Place{Object: kratix.Describe(w.Destination)}, "the files that every Destination has")...)
}

// refusal returns the finding about a refused unit. It returns nil if another unit may be the
// cause.
func (s *situation) refusal(e exclusion, at finding.Place, what string) []finding.Finding {
	if !e.isKnown {
		return nil
	}
	return []finding.Finding{{
		Rule: finding.PlacementRefused(), Place: at, Fix: e.answer.fix,
		Message: fmt.Sprintf("%s refuses %s on %s: %s", s.store.ref, what, s.Name, e.answer.message),
	}}
}
