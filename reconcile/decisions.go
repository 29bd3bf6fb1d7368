package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// takeDecisions takes in where the Works themselves say that their groups go, as far as
// nothing is recorded yet. So it counts as placed there, whoever is about to
// write it. What is recorded elsewhere counts more, unless it is to move.
func takeDecisions(o *observed) {
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

// placed returns the Destinations on which a group is by a record or by what the
// source remembers.
func (o *observed) placed() map[placedGroup][]string {
	placed := o.recorded()
	for _, p := range o.unread {
		placed[groupOf(p)] = append(placed[groupOf(p)], p.Spec.TargetDestinationName)
	}
	return placed
}

// taking returns the names of the Destinations that are there, and not to be emptied.
func (o *observed) taking() map[string]bool {
	taking := make(map[string]bool, len(o.Destinations))
	for _, d := range o.Destinations {
		taking[d.Name] = !d.IsDeleted() || !d.CleansUp()
	}
	return taking
}
