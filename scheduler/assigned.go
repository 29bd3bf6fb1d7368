package scheduler

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Assigned is a planner for Works with a given Destination. Recorded placements without a Work are
// kept or removed as by Plan. Several Works may have the same name.
//
// Assigned reuses placements of its last plan. It is not safe for concurrent use, and callers must
// not modify its plans.
type Assigned struct {
	// To returns the name of the Destination of a Work.
	To func(*kratix.Work) string
	// in is the input of the last plan, and nil before the first plan.
	in     *Input
	result Result
	// last are the placements in the last plan.
	last map[assignment]Placement
}

// assignment identifies a group of a Work by pointer, since several Works may have the same
// name.
type assignment struct {
	work  *kratix.Work
	group string
}

type onDestination struct {
	groupKey
	destination string
}

const assignedReason = "its WorkPlacement names the Destination"

// Plan returns the placements of the Works. It leaves out groups whose Destination is being deleted
// together with its files, and new groups whose Destination is not in the input.
func (a *Assigned) Plan(in Input) Result {
	if a.in == nil || !a.in.assignsAs(in) {
		a.result = a.plan(in)
		a.in = &in
	}
	return a.result
}

func (in *Input) assignsAs(other Input) bool {
	return in.Incomplete == other.Incomplete && slices.Equal(in.Works, other.Works) && slices.Equal(in.Destinations, other.Destinations) &&
		slices.Equal(in.Existing, other.Existing) && slices.Equal(in.Rejected, other.Rejected) &&
		slices.Equal(in.RejectedPlacements, other.RejectedPlacements)
}

func (a *Assigned) plan(in Input) Result {
	taking := make(map[string]bool, len(in.Destinations))
	for _, d := range in.Destinations {
		taking[d.Name] = !d.IsDeleted() || !d.CleansUp()
	}
	existing := make(map[onDestination]bool, len(in.Existing))
	for _, p := range in.Existing {
		existing[placeOf(p)] = true
	}
	r := &round{in: in, works: sortedWorks(in.Works), used: make([]bool, len(in.Existing))}
	placements := make(map[assignment]Placement, len(in.Works))
	wanted := make(map[onDestination]bool, len(in.Works))
	for _, work := range r.works {
		destination := a.To(work)
		for i := range work.Spec.WorkloadGroups {
			group := &work.Spec.WorkloadGroups[i]
			at := onDestination{groupKey{kratix.KeyOf(work), group.ID}, destination}
			takes, known := taking[destination]
			if wanted[at] || known && !takes || !known && !existing[at] {
				continue
			}
			wanted[at] = true
			p := a.placement(work, group, destination, !existing[at])
			placements[assignment{work, group.ID}] = p
			r.placed = append(r.placed, p)
		}
	}
	a.last = placements
	for i, p := range in.Existing {
		r.used[i] = wanted[placeOf(p)]
	}
	r.release()
	result := r.result
	slices.SortFunc(r.placed, comparePlaced)
	result.Destinations = partsOf(r.placed)
	result.sort()
	return result
}

// placement returns the placement of a group, from the last plan if possible.
func (a *Assigned) placement(work *kratix.Work, group *kratix.WorkloadGroup, destination string, isNew bool) Placement {
	p, known := a.last[assignment{work, group.ID}]
	if !known || p.Spec.TargetDestinationName != destination {
		p = Placement{
			WorkPlacement: kratix.NewWorkPlacement(work, group, destination), Work: work, Directory: group.Directory, Reason: assignedReason,
		}
	}
	p.New = isNew
	return p
}

func placeOf(p *kratix.WorkPlacement) onDestination {
	return onDestination{groupKey{p.Work(), p.Spec.ID}, p.Spec.TargetDestinationName}
}
