package scheduler

import (
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// keep adds the existing placements of a group to the plan, except those that a move has replaced.
func (r *round) keep(j *job) {
	if len(j.old) == 0 {
		return
	}
	successor := r.successors(j)
	for _, old := range j.old {
		if to := successor[old]; to != "" {
			r.result.Moved = append(r.result.Moved, Moved{old, to})
			continue
		}
		r.add(j, r.kept(j, old))
	}
	r.decideMove(j)
}

func (r *round) kept(j *job, old *kratix.WorkPlacement) Placement {
	target := old.Spec.TargetDestinationName
	p := Placement{
		WorkPlacement: kratix.NewWorkPlacement(j.work, j.group, target),
		Work:          j.work, Directory: j.group.Directory,
		Reason: "it is there already",
	}
	p.Name = old.Name
	switch from := old.Labels[kratix.MovedFromLabel]; {
	case from == "":
	case r.isGone(j, from):
		p.Reason += "; the move from " + from + " is over"
	default:
		p.Labels[kratix.MovedFromLabel] = from
	}
	if why, ok := r.fleet.suits(j.fit, target); !ok {
		p.Misplaced = true
		p.Labels[kratix.MisplacedLabel] = "true"
		p.Reason = "it is there already, though the Destination no longer fits: " + why
	}
	if maps.Equal(p.Labels, old.Labels) {
		p.Labels = old.Labels // shares the map to save memory
	}
	return p
}

// successors maps each placement that a move has replaced to the Destination of its replacement.
// Both are recorded until the move is complete.
func (r *round) successors(j *job) map[*kratix.WorkPlacement]string {
	if len(j.old) < 2 || j.work.IsDependency() {
		return nil
	}
	taken := map[*kratix.WorkPlacement]string{}
	for _, replacement := range j.old {
		if taken[replacement] != "" {
			continue
		}
		_, fits := r.fleet.suits(j.fit, replacement.Spec.TargetDestinationName)
		for _, old := range j.old {
			if old == replacement || taken[old] != "" {
				continue
			}
			_, stillFits := r.fleet.suits(j.fit, old.Spec.TargetDestinationName)
			marked := replacement.Labels[kratix.MovedFromLabel] == old.Spec.TargetDestinationName
			if marked || r.in.OnMisplaced == Move && fits && !stillFits {
				taken[old] = replacement.Spec.TargetDestinationName
			}
		}
	}
	return taken
}

func (r *round) isGone(j *job, from string) bool {
	at, there := r.fleet.byName[from]
	switch {
	case isOn(j.old, from), r.isCopiedOn(j, from):
		return false
	case there:
		return r.fleet.members[at].Store == StoreRead
	}
	return !r.in.Incomplete && !r.in.Unseen
}

func (r *round) isCopiedOn(j *job, destination string) bool {
	return slices.ContainsFunc(r.in.Copies, func(p *kratix.WorkPlacement) bool {
		return p.Work() == kratix.KeyOf(j.work) && p.Spec.ID == j.group.ID && p.Spec.TargetDestinationName == destination
	})
}

// decideMove sets j.moving if the group's only placement should move.
func (r *round) decideMove(j *job) {
	if len(j.old) != 1 || j.work.IsDependency() || r.mayMissPlacements() || j.old[0].Labels[kratix.MovedFromLabel] != "" {
		return
	}
	move, asked := r.asked[groupKey{kratix.KeyOf(j.work), j.group.ID}]
	switch {
	case asked && move.From == j.old[0].Spec.TargetDestinationName:
		j.moving, j.target = true, move.To
	case r.in.OnMisplaced == Move && r.placed[j.first].Misplaced:
		j.moving = true
	}
}

// move adds a second placement for a group. A later plan removes the old placement, once the new
// one is recorded.
func (r *round) move(j *job) {
	at, reason := r.destinationOf(j)
	if at == none {
		why := "it cannot be moved: " + r.summary(j)
		if j.target != "" {
			why = j.target + " cannot take it now"
		}
		r.placed[j.first].Reason += "; " + why
		return
	}
	to := r.fleet.members[at].Name
	if to == j.old[0].Spec.TargetDestinationName {
		return
	}
	r.placed[j.first].Reason += "; it stays until the one on " + to + " is recorded"
	from := j.old[0].Spec.TargetDestinationName
	moved := kratix.NewWorkPlacement(j.work, j.group, to)
	moved.Labels[kratix.MovedFromLabel] = from
	r.addPlacement(j, moved, "moved from "+from+"; "+reason)
	r.result.begun = true
}

func (r *round) destinationOf(j *job) (at int, reason string) {
	if j.target == "" {
		if r.observe != nil {
			r.observe(j)
		}
		return r.choose(j)
	}
	if at, ok := r.fleet.byName[j.target]; ok && j.fit.kinds[at] == open && !r.isFull(at) {
		return at, "as was asked for"
	}
	return none, ""
}

type demand map[string]map[string]int

func (d demand) add(promise, destination string, by int) {
	if d == nil {
		return
	}
	if d[promise] == nil {
		d[promise] = map[string]int{}
	}
	d[promise][destination] += by
}

// placeOnDemand places the on-demand dependencies, after all requests. A dependency stays after the
// last request is removed, because others on the cluster may use its objects.
func (r *round) placeOnDemand() {
	for _, j := range r.onDemand {
		r.placeWhereWanted(j)
	}
}

func (r *round) placeWhereWanted(j *job) {
	wanted := r.wanted()[j.work.Spec.PromiseName]
	placed := false
	for _, at := range j.fit.usable {
		if name := r.fleet.members[at].Name; wanted[name] > 0 {
			placed = true
			if !isOn(j.old, name) {
				r.addNew(j, name, "a request of the Promise is there")
			}
		}
	}
	if !placed && len(j.old) == 0 {
		r.result.Unplaced = append(r.result.Unplaced, Unplaced{
			Work: j.work, Directory: j.group.Directory, Idle: true,
			Reason: "no request of Promise " + j.work.Spec.PromiseName + " is on a Destination that fits (" + DependenciesAnnotation + ": " + OnDemand + ")",
		})
	}
}

func (r *round) wanted() demand {
	if r.demand != nil {
		return r.demand
	}
	r.demand = demand{}
	for i := range r.placed {
		if p := &r.placed[i]; !p.IsDependency() {
			r.demand.add(p.Spec.PromiseName, p.Spec.TargetDestinationName, 1)
		}
	}
	for _, list := range [][]*kratix.WorkPlacement{r.result.KeptInvalid, r.result.KeptMissing} {
		for _, p := range list {
			if !p.IsDependency() {
				r.demand.add(p.Spec.PromiseName, p.Spec.TargetDestinationName, 1)
			}
		}
	}
	return r.demand
}
