package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// addDecisions adds a placement for each decision on a Work that no store has recorded yet. A
// record on another Destination takes precedence, unless the decision moves the group from there.
func addDecisions(o *observed) {
	elsewhere, taking := o.placed(), o.taking()
	for _, work := range o.Works {
		decisions, err := work.Decisions()
		if err != nil {
			at := o.Origins.Of(work)
			at.Object = kratix.Describe(work)
			o.findings = append(o.findings, finding.Finding{Rule: finding.InvalidAnnotation(), Place: at, Message: err.Error()})
		}
		for i := range work.Spec.WorkloadGroups {
			group := &work.Spec.WorkloadGroups[i]
			decision, decided := decisions[group.ID]
			on := elsewhere[placedGroup{kratix.KeyOf(work), group.ID}]
			if !decided || work.IsDependency() || slices.Contains(on, decision.Destination) || !taking[decision.Destination] {
				continue
			}
			if len(on) == 0 || slices.Equal(on, []string{decision.MovedFrom}) {
				o.decided = append(o.decided, decidedPlacement(work, group, decision))
			}
		}
	}
}

func decidedPlacement(work *kratix.Work, group *kratix.WorkloadGroup, decision kratix.Decision) *kratix.WorkPlacement {
	p := kratix.NewWorkPlacement(work, group, decision.Destination)
	if decision.MovedFrom != "" {
		p.Labels[kratix.MovedFromLabel] = decision.MovedFrom
	}
	return p
}

func (o *observed) placed() map[placedGroup][]string {
	placed := o.recorded()
	for _, p := range o.unread {
		placed[groupOf(p)] = append(placed[groupOf(p)], p.Spec.TargetDestinationName)
	}
	return placed
}

// taking returns the names of the Destinations that accept placements.
func (o *observed) taking() map[string]bool {
	taking := make(map[string]bool, len(o.Destinations))
	for _, d := range o.Destinations {
		taking[d.Name] = !d.IsDeleted() || !d.CleansUp()
	}
	return taking
}
