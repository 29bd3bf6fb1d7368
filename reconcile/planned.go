package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// planned is the plan, by Destination.
type planned map[string]*plannedPart

type plannedPart struct {
	placements    []*scheduler.Placement
	kept, removed []*kratix.WorkPlacement
	// moved maps placements to where others have taken their place.
	moved map[*kratix.WorkPlacement]string
}

// byDestination deals a plan out.
func byDestination(plan *scheduler.Result) planned {
	parts := planned{}
	for i := range plan.Placements {
		part := parts.of(plan.Placements[i].Spec.TargetDestinationName)
		part.placements = append(part.placements, &plan.Placements[i])
	}
	for _, kept := range slices.Concat(plan.Kept, plan.Held) {
		part := parts.of(kept.Spec.TargetDestinationName)
		part.kept = append(part.kept, kept)
	}
	for _, removed := range plan.Removed {
		part := parts.of(removed.Spec.TargetDestinationName)
		part.removed = append(part.removed, removed)
	}
	for _, moved := range plan.Moved {
		parts.of(moved.Spec.TargetDestinationName).moved[moved.WorkPlacement] = moved.To
	}
	return parts
}

// of gives the part of a Destination.
func (p planned) of(destination string) *plannedPart {
	if p[destination] == nil {
		p[destination] = &plannedPart{moved: map[*kratix.WorkPlacement]string{}}
	}
	return p[destination]
}
