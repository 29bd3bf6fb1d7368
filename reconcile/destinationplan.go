package reconcile

import (
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

type destinationPlan struct {
	placements    []scheduler.Placement
	kept, removed []*kratix.WorkPlacement
	// proven are placements to be removed, with evidence that the Work or group is gone. The deletion
	// guard ignores them.
	proven []*kratix.WorkPlacement
	guard  guard
	// awaiting are placements that stay until their successors on other Destinations are recorded.
	awaiting []*kratix.WorkPlacement
	// moved maps a placement to the Destination that its group has moved to.
	moved map[*kratix.WorkPlacement]string
	// waiting are placements that a rollout does not change in this round. steps are the actions of
	// rollouts on other placements.
	waiting []waitingPlacement
	steps   map[*kratix.WorkPlacement]*rolloutStep
	// leaves means that this plan removes an inherited placement in the commit that writes its new
	// copy.
	leaves bool
}

func (p destinationPlan) same(other destinationPlan) bool {
	return slices.Equal(p.placements, other.placements) && slices.Equal(p.kept, other.kept) && slices.Equal(p.awaiting, other.awaiting) &&
		slices.Equal(p.removed, other.removed) && slices.Equal(p.proven, other.proven) && maps.Equal(p.moved, other.moved) &&
		slices.Equal(p.waiting, other.waiting) && maps.EqualFunc(p.steps, other.steps, (*rolloutStep).same) && p.guard.sameEffect(other.guard)
}

func (p *destinationPlan) move(placement *kratix.WorkPlacement, to string) {
	if p.moved == nil {
		p.moved = map[*kratix.WorkPlacement]string{}
	}
	p.moved[placement] = to
}

// former returns the number of placements that are written with former files.
func (p *destinationPlan) former() (n int) {
	for _, step := range p.steps {
		if step.isFormer {
			n++
		}
	}
	return n
}
