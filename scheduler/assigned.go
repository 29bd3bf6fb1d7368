package scheduler

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Assigned plans Works for each of which somebody else has chosen a Destination: it
// places all groups of a Work there and nowhere else. What is recorded and has no such
// Work is removed, kept or held as Plan does it. Two Works may have one name.
//
// It reuses the placements of the last plan for Works that are the same in memory. It
// is not safe for concurrent use; plans must not be changed.
type Assigned struct {
	// To returns the name of a Work's Destination.
	To func(*kratix.Work) string
	// in is the input of the last plan, nil before the first, and result the plan.
	in     *Input
	result Result
	// last are its placements.
	last map[assignment]Placement
}

// assignment is a group of one Work; two Works of one name are two.
type assignment struct {
	work  *kratix.Work
	group string
}

// onDestination names a group on a Destination.
type onDestination struct {
	groupKey
	destination string
}

// assignedReason is the reason of each placement.
const assignedReason = "its WorkPlacement names the Destination"

// Plan returns where the Works go. A Work is left out while its Destination is not in
// the input and has nothing of it, and once its Destination goes with its files.
func (a *Assigned) Plan(in Input) Result {
	if a.in == nil || !a.in.assignsAs(in) {
		a.result = a.plan(in)
		a.in = &in
	}
	return a.result
}

// assignsAs reports whether two inputs have the same of what an Assigned depends on.
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
	result.Parts = partsOf(r.placed)
	result.sort()
	return result
}

// placement returns the placement of a group, the last one if that is as it was.
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
