package scheduler

import (
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// single is what Place needs beside the last round.
type single struct {
	// placed and next are the last plan's.
	placed []Placement
	next   []int32
	// loose are placements of the plan without a job: kept or held.
	loose map[kratix.Key][]*kratix.WorkPlacement
	// latest are the placements of Works that Place has changed.
	latest map[kratix.Key][]*kratix.WorkPlacement
	// waiting are the dependencies on demand, by Promise.
	waiting map[string]map[kratix.Key]*kratix.Work
}

// Place plans one Work, new or changed, and takes the last plan, and whatever
// was placed since, as written. It gives what Plan would, but only the part
// that the Work changes: its own placements, and new ones of dependencies that
// wait for it.
func (p *Planner) Place(work *kratix.Work) Result {
	if p.last == nil {
		p.Plan(Input{})
	}
	if p.single == nil {
		p.prepare()
	}
	r, key := p.last, kratix.KeyOf(work)
	old := p.take(key)
	r.result, r.placed, r.next, r.onDemand, r.crowded = Result{}, nil, nil, nil, false

	jobs := p.jobs(work, &old)
	for i := range jobs {
		r.keep(&jobs[i])
	}
	for i := range jobs {
		r.place(&jobs[i])
	}
	r.result.Removed = old
	p.placeOnDemand(work)
	if message := invalidAnnotation(work); message != "" {
		r.result.Invalid = append(r.result.Invalid, Invalid{work, message})
	}
	p.single.latest[key] = nil
	for _, placement := range r.placed {
		of := kratix.KeyOf(placement.Work)
		p.single.latest[of] = append(p.current(of), placement.WorkPlacement)
	}
	result := r.finish()
	r.settle(&result)
	return result
}

// prepare makes a plan the state that single Works are placed into.
func (p *Planner) prepare() {
	p.single = &single{
		placed: p.last.placed, next: p.last.next,
		loose: map[kratix.Key][]*kratix.WorkPlacement{}, latest: map[kratix.Key][]*kratix.WorkPlacement{},
		waiting: map[string]map[kratix.Key]*kratix.Work{},
	}
	for _, list := range [][]*kratix.WorkPlacement{p.result.Kept, p.result.Held} {
		for _, placement := range list {
			p.single.loose[placement.Work()] = append(p.single.loose[placement.Work()], placement)
		}
	}
	for _, j := range p.last.onDemand {
		p.wait(j.work)
	}
	p.last.asked = nil
}

// wait remembers a dependency that is placed where requests are.
func (p *Planner) wait(work *kratix.Work) {
	promise := work.Spec.PromiseName
	if p.single.waiting[promise] == nil {
		p.single.waiting[promise] = map[kratix.Key]*kratix.Work{}
	}
	p.single.waiting[promise][kratix.KeyOf(work)] = work
}

// current gives the placements that a Work has by now.
func (p *Planner) current(key kratix.Key) []*kratix.WorkPlacement {
	if latest, ok := p.single.latest[key]; ok {
		return latest
	}
	jobs, _ := p.last.jobsOf(key)
	placements := slices.Clone(p.single.loose[key])
	for i := range jobs {
		for n := jobs[i].first; n != none; n = p.single.next[n] {
			placements = append(placements, p.single.placed[n].WorkPlacement)
		}
	}
	return placements
}

// take gives the placements of a Work, and takes them out of what choices look
// at; those that stay come back as they are kept.
func (p *Planner) take(key kratix.Key) []*kratix.WorkPlacement {
	r := p.last
	old := p.current(key)
	for _, placement := range old {
		if placement.IsDependency() {
			continue
		}
		r.demand.add(placement.Spec.PromiseName, placement.Spec.TargetDestinationName, -1)
		at, ok := r.fleet.byName[placement.Spec.TargetDestinationName]
		if ok && !slices.Contains(p.single.loose[key], placement) {
			r.homes.remove(requestKey{placement.Namespace, placement.Spec.PromiseName, placement.Spec.ResourceName}, at)
		}
	}
	for promise, waiting := range p.single.waiting {
		delete(waiting, key)
		if len(waiting) == 0 {
			delete(p.single.waiting, promise)
		}
	}
	return old
}

// jobs makes the jobs of a Work and takes what its groups have out of old.
func (p *Planner) jobs(work *kratix.Work, old *[]*kratix.WorkPlacement) []job {
	jobs := make([]job, 0, len(work.Spec.WorkloadGroups))
	for i := range work.Spec.WorkloadGroups {
		group := &work.Spec.WorkloadGroups[i]
		j := job{work: work, group: group, fit: p.last.fleet.fits(work, group), first: none, last: none}
		var others []*kratix.WorkPlacement
		for _, placement := range *old {
			if placement.Spec.ID == group.ID {
				j.old = append(j.old, placement)
			} else {
				others = append(others, placement)
			}
		}
		*old = others
		byName(j.old)
		jobs = append(jobs, j)
	}
	return jobs
}

// placeOnDemand places what waits for the Work, or the Work where it is waited
// for.
func (p *Planner) placeOnDemand(work *kratix.Work) {
	r := p.last
	if isOnDemand(work) {
		p.countDemand(kratix.KeyOf(work))
		r.placeOnDemand()
		p.wait(work)
		return
	}
	waiting := p.single.waiting[work.Spec.PromiseName]
	if work.IsDependency() || len(waiting) == 0 {
		return
	}
	p.countDemand(kratix.KeyOf(work))
	unplaced := r.result.Unplaced
	for _, dependency := range slices.SortedFunc(maps.Values(waiting), compareWorks) {
		old := slices.Clone(p.current(kratix.KeyOf(dependency)))
		jobs := p.jobs(dependency, &old)
		for i := range jobs {
			r.placeWhereWanted(&jobs[i])
		}
	}
	r.result.Unplaced = unplaced
}

// countDemand counts where requests are, if nothing has asked for it before;
// those of one Work are what was just placed.
func (p *Planner) countDemand(just kratix.Key) {
	r := p.last
	if r.demand != nil {
		return
	}
	keys := map[kratix.Key]bool{}
	for i := range r.jobs {
		keys[kratix.KeyOf(r.jobs[i].work)] = true
	}
	for key := range p.single.loose {
		keys[key] = true
	}
	for key := range p.single.latest {
		keys[key] = true
	}
	delete(keys, just)
	r.demand = demand{}
	for key := range keys {
		for _, placement := range p.current(key) {
			if !placement.IsDependency() {
				r.demand.add(placement.Spec.PromiseName, placement.Spec.TargetDestinationName, 1)
			}
		}
	}
	for i := range r.placed {
		if placement := &r.placed[i]; !placement.IsDependency() {
			r.demand.add(placement.Spec.PromiseName, placement.Spec.TargetDestinationName, 1)
		}
	}
}
