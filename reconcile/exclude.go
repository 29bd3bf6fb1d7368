package reconcile

import (
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// exclusion is why a unit with one content is not written now.
type exclusion struct {
	digest digest
	// refused is what the server said; nil while it is not known whether the unit
	// is to blame.
	refused *refusal
}

// exclusions are the units that a round does not write, by Destination.
type exclusions map[string]map[unit]exclusion

func (e exclusions) add(s suspect, refused *refusal) {
	if e[s.destination] == nil {
		e[s.destination] = map[unit]exclusion{}
	}
	e[s.destination][s.unit] = exclusion{s.digest, refused}
}

// state returns the state of an excluded placement, and the reason.
func (e exclusion) state() (report.State, string) {
	if e.refused == nil {
		return report.Failed, "the server refused a change with it; it is tried again in a smaller one"
	}
	return report.Held, "the server refuses it: " + e.refused.words
}

// exclude keeps what a placement has stored if it is excluded with the content
// that it would write.
func (dest *desiredDestination) exclude(p *desiredPlacement) {
	e, excluded := dest.excluded[unitOf(p.WorkPlacement)]
	if !excluded || !p.writable() || e.digest != digestOf(p.rendering.Files) {
		return
	}
	p.state, p.reason = e.state()
	dest.tellRefused(e, finding.Place{Object: p.object()}, "its files")
}

// excludeRemovals keeps the placements whose removal is excluded.
func (dest *desiredDestination) excludeRemovals() {
	if len(dest.excluded) == 0 {
		return
	}
	var removed []recordView
	for _, record := range dest.removed {
		e, excluded := dest.excluded[unitOf(record.Placement)]
		if !excluded || e.digest != removalDigest() {
			removed = append(removed, record)
			continue
		}
		_, reason := e.state()
		dest.placements = append(dest.placements, keep(dest.destinationView, record.Placement, "to be removed: "+reason))
		dest.tellRefused(e, finding.Place{Object: kratix.WorkKind + " " + record.Placement.Work().String()}, "the removal of its files")
	}
	dest.removed = removed
}

// excludeRest leaves what is no placement as it is, if that is excluded. It
// reports whether it is.
func (dest *desiredDestination) excludeRest() bool {
	e, excluded := dest.excluded[unit{destination: dest.Name}]
	if excluded {
		dest.fixtures, dest.retired = nil, nil
		dest.tellRefused(e, finding.Place{Object: kratix.Describe(dest.Destination)}, "the files that every Destination has")
	}
	return excluded
}

// tellRefused adds the finding about what a server refuses.
func (dest *desiredDestination) tellRefused(e exclusion, at finding.Place, what string) {
	if e.refused == nil {
		return
	}
	dest.findings = append(dest.findings, finding.Finding{
		Rule: finding.PlacementRefused(), Place: at, Fix: e.refused.fix,
		Message: fmt.Sprintf("%s refuses %s on %s: %s", dest.store.ref, what, dest.Name, e.refused.words),
	})
}
