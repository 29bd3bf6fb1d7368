package scheduler

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type round struct {
	in    Input
	fleet *fleet
	works []*kratix.Work
	jobs  []job
	// index maps a group to its existing placements. used marks those whose group is in the input.
	index index
	used  []bool
	// load counts the placements of requests on each Destination, including placements that this plan
	// removes.
	load  []int
	homes homes
	// demand counts requests by Promise and Destination. It is nil before its first use.
	demand   demand
	asked    map[groupKey]Relocation
	onDemand []*job
	// placed are the placements so far. next[i] is the index in placed of the next placement of the
	// same job, or none.
	placed  []Placement
	next    []int32
	chosen  keys
	crowded bool
	// before are the new placements of the last plan. This plan reuses those that are unchanged.
	before  map[newPlacement]*kratix.WorkPlacement
	observe func(*job)
	result  Result
}

type job struct {
	work  *kratix.Work
	group *kratix.WorkloadGroup
	fit   *fit
	// old are the existing placements. first and last are the ends of the list of the planned
	// placements in round.next. first is none if there are no planned placements.
	old         []*kratix.WorkPlacement
	first, last int32
	// moving means that the placement should move to target or, if target is empty, to a chosen
	// Destination.
	moving bool
	target string
}

// none is the index that stands for no Destination, and for the end of a linked list.
const none = -1

func newRound(in Input, f *fleet) *round {
	r := &round{
		in: in, fleet: f, index: newIndex(in.Existing), used: make([]bool, len(in.Existing)),
		load: make([]int, len(f.members)), homes: newHomes(len(in.Works)), chosen: keys{},
	}
	for _, old := range in.Existing {
		r.count(old, 1)
	}
	if len(in.Moves) > 0 {
		r.asked = map[groupKey]Relocation{}
		for _, move := range in.Moves {
			r.asked[groupKey{move.Work, move.Group}] = move
		}
	}
	return r
}

func (r *round) plan() Result {
	r.works = sortedWorks(r.in.Works)
	r.jobs = make([]job, 0, len(r.works))
	r.placed = make([]Placement, 0, len(r.works))
	r.next = make([]int32, 0, len(r.works))
	for _, work := range r.works {
		for i := range work.Spec.WorkloadGroups {
			r.jobs = append(r.jobs, r.job(work, &work.Spec.WorkloadGroups[i]))
		}
	}
	for i := range r.jobs {
		r.keep(&r.jobs[i])
	}
	for i := range r.jobs {
		r.place(&r.jobs[i])
	}
	r.release()
	r.placeOnDemand()
	r.check()
	return r.finish()
}

func (r *round) job(work *kratix.Work, group *kratix.WorkloadGroup) job {
	j := job{work: work, group: group, fit: r.fleet.fits(work, group), first: none, last: none}
	if len(r.in.Existing) > 0 {
		j.old = r.index.of(r.in.Existing, groupKey{kratix.KeyOf(work), group.ID}, r.used)
	}
	return j
}

func (r *round) place(j *job) {
	switch {
	case isOnDemand(j.work): // placeOnDemand places the group after all requests
		r.onDemand = append(r.onDemand, j)
	case j.work.IsDependency():
		r.placeOnAll(j)
	case len(j.old) == 0:
		r.placeOnOne(j)
	case j.moving:
		r.move(j)
	}
}

func (r *round) placeOnAll(j *job) {
	for _, at := range j.fit.usable {
		if name := r.fleet.members[at].Name; !isOn(j.old, name) {
			r.addNew(j, name, "dependencies go to every Destination that fits")
		}
	}
	if len(j.fit.usable) == 0 && len(j.old) == 0 {
		r.unplaced(j, r.summary(j))
	}
}

func isOn(placed []*kratix.WorkPlacement, destination string) bool {
	return slices.ContainsFunc(placed, func(p *kratix.WorkPlacement) bool {
		return p.Spec.TargetDestinationName == destination
	})
}

func (r *round) placeOnOne(j *job) {
	if why := r.possiblyOn(j); why != "" {
		r.result.Unplaced = append(r.result.Unplaced, Unplaced{Work: j.work, Directory: j.group.Directory, Waits: true, Reason: why})
		return
	}
	if r.observe != nil {
		r.observe(j)
	}
	at, reason := r.choose(j)
	if at == none {
		r.unplaced(j, r.summary(j))
		return
	}
	r.addNew(j, r.fleet.members[at].Name, reason)
}

// possiblyOn returns a clause that names where the group may have a placement that is not in the
// input, or "".
func (r *round) possiblyOn(j *job) string {
	switch {
	case len(j.fit.unread) > 0:
		return "it may be on " + r.fleet.members[j.fit.unread[0]].Name + " already, whose placements cannot be read"
	case r.in.Unseen:
		return "it may be on a Destination already that cannot be read"
	}
	return ""
}

func (r *round) mayMissPlacements() bool { return r.fleet.unread != "" || r.in.Unseen }

func (r *round) addNew(j *job, destination, reason string) {
	placement := r.before[newPlacement{j.work, j.group.ID, destination}]
	if placement == nil || !isSame(placement.Spec.Workloads, j.group.Workloads) {
		placement = kratix.NewWorkPlacement(j.work, j.group, destination)
	}
	r.addPlacement(j, placement, reason)
}

// isSame reports whether two lists are the same memory.
func isSame(a, b []kratix.Workload) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func (r *round) addPlacement(j *job, placement *kratix.WorkPlacement, reason string) {
	r.count(placement, 1)
	r.add(j, Placement{WorkPlacement: placement, Work: j.work, Directory: j.group.Directory, New: true, Reason: reason})
}

func (r *round) add(j *job, p Placement) {
	n := int32(len(r.placed)) //nolint:gosec // memory is exhausted before this overflows
	r.placed = append(r.placed, p)
	r.next = append(r.next, none)
	if j.first == none {
		j.first = n
	} else {
		r.next[j.last] = n
	}
	j.last = n
	if !j.work.IsDependency() {
		if at, ok := r.fleet.byName[p.Spec.TargetDestinationName]; ok {
			r.homes.add(requestOf(j.work), at)
		}
		r.demand.add(j.work.Spec.PromiseName, p.Spec.TargetDestinationName, 1)
	}
}

// count adds by to the load of a placement's Destination. Dependencies do not count.
func (r *round) count(p *kratix.WorkPlacement, by int) {
	if p.IsDependency() {
		return
	}
	if at, ok := r.fleet.byName[p.Spec.TargetDestinationName]; ok {
		r.load[at] += by
	}
}

func (r *round) unplaced(j *job, reason string) {
	r.result.Unplaced = append(r.result.Unplaced, Unplaced{Work: j.work, Directory: j.group.Directory, Reason: reason})
}

// release classifies the existing placements whose group is not in the input as kept or removed.
func (r *round) release() {
	rejected := map[kratix.Key]bool{}
	for _, key := range r.in.Rejected {
		rejected[key] = true
	}
	for i, old := range r.in.Existing {
		switch {
		case r.used[i]:
		case rejected[old.Work()], r.rejects(old):
			r.result.KeptInvalid = append(r.result.KeptInvalid, old)
		case r.in.Incomplete && !r.hasWork(old.Work()):
			r.result.KeptMissing = append(r.result.KeptMissing, old)
		default:
			r.result.Removed = append(r.result.Removed, old)
		}
	}
}

func (r *round) rejects(p *kratix.WorkPlacement) bool {
	_, rejects := slices.BinarySearchFunc(r.in.RejectedPlacements, kratix.KeyOf(p), kratix.Key.Compare)
	return rejects
}

func (r *round) hasWork(key kratix.Key) bool {
	_, found := slices.BinarySearchFunc(r.works, key, func(w *kratix.Work, key kratix.Key) int { return kratix.KeyOf(w).Compare(key) })
	return found
}

func (r *round) jobsOf(key kratix.Key) ([]job, bool) {
	from, found := slices.BinarySearchFunc(r.jobs, key, func(j job, key kratix.Key) int { return kratix.KeyOf(j.work).Compare(key) })
	to := from
	for found && to < len(r.jobs) && kratix.KeyOf(r.jobs[to].work) == key {
		to++
	}
	return r.jobs[from:to], found
}

func (r *round) check() {
	for i := range r.fleet.members {
		for _, message := range r.fleet.members[i].invalid {
			r.result.Invalid = append(r.result.Invalid, Invalid{r.fleet.members[i].Destination.Destination, message})
		}
	}
	var last *kratix.Work
	for i := range r.jobs {
		if work := r.jobs[i].work; work != last {
			last = work
			for _, message := range invalidAnnotations(work) {
				r.result.Invalid = append(r.result.Invalid, Invalid{work, message})
			}
		}
	}
}

func (r *round) finish() Result {
	out := r.result
	out.Destinations = partsOf(r.byDestination())
	out.sort()
	out.Again = out.Again || r.crowded && len(out.Removed) > 0
	return out
}

func partsOf(sorted []Placement) []DestinationPlan {
	var parts []DestinationPlan
	for len(sorted) > 0 {
		name, n := sorted[0].Spec.TargetDestinationName, 1
		for n < len(sorted) && sorted[n].Spec.TargetDestinationName == name {
			n++
		}
		parts = append(parts, DestinationPlan{name, sorted[:n:n]})
		sorted = sorted[n:]
	}
	return parts
}

func (r *round) byDestination() []Placement {
	if len(r.placed) < len(r.fleet.members) {
		return slices.SortedFunc(slices.Values(r.placed), comparePlaced)
	}
	parts := make([]int, len(r.fleet.members)+2)
	slot := func(p *Placement) int {
		if at, ok := r.fleet.byName[p.Spec.TargetDestinationName]; ok {
			return at
		}
		return len(r.fleet.members) // the bucket for placements on unknown Destinations
	}
	slots := make([]int32, len(r.placed))
	for i := range r.placed {
		at := slot(&r.placed[i])
		slots[i] = int32(at) //nolint:gosec // less than the number of Destinations
		parts[at+1]++
	}
	for i := 1; i < len(parts); i++ {
		parts[i] += parts[i-1]
	}
	sorted := make([]Placement, len(r.placed))
	ends := slices.Clone(parts)
	for i := range r.placed {
		sorted[ends[slots[i]]] = r.placed[i]
		ends[slots[i]]++
	}
	for i := range len(parts) - 1 {
		slices.SortFunc(sorted[parts[i]:parts[i+1]], comparePlaced)
	}
	if gone := parts[len(parts)-2]; gone < len(sorted) {
		slices.SortFunc(sorted, comparePlaced)
	}
	return sorted
}

func byName(placements []*kratix.WorkPlacement) {
	slices.SortFunc(placements, func(a, b *kratix.WorkPlacement) int {
		return cmp.Or(cmp.Compare(a.Spec.TargetDestinationName, b.Spec.TargetDestinationName), cmp.Compare(a.Name, b.Name))
	})
}
