// Package scheduler turns Works, Destinations and what is placed already into
// placements, with a reason for each choice and for each Destination that was
// not taken. It is a pure function: no clock, no randomness, no I/O.
package scheduler

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// Input is everything a plan depends on.
type Input struct {
	Works        []*kratix.Work
	Destinations []Destination
	// Existing are the placements recorded so far.
	Existing []*kratix.WorkPlacement
	// Rejected are Works that exist and cannot be used now.
	Rejected []kratix.Key
	// Incomplete means that a Work which is not here may still exist.
	Incomplete bool
}

// Destination is a Destination and what is known of its store.
type Destination struct {
	*kratix.Destination
	// Store says whether what is placed there is known.
	Store StoreState
}

// StoreState says what is known of a Destination's store.
type StoreState int

// The states of a store.
const (
	// StoreRead: what is placed there is known.
	StoreRead StoreState = iota
	// StoreUnread: it exists, but could not be read. What is new and could be
	// there already must wait, or it would be placed twice.
	StoreUnread
	// StoreAbsent: there is no such store; nothing can be written there.
	StoreAbsent
)

// Result is a plan. All parts are sorted, so that equal inputs give equal
// plans whatever order they came in.
type Result struct {
	// Placements are what should be in the stores.
	Placements []Placement
	// Unplaced are groups that fit nowhere, or must wait.
	Unplaced []Unplaced
	// Kept are placements whose Work cannot be used now: their files stay.
	Kept []*kratix.WorkPlacement
	// Held are placements that seem to have lost their Work, but part of the
	// input is unknown: their files stay.
	Held []*kratix.WorkPlacement
	// Removed are placements without a Work or a group.
	Removed []*kratix.WorkPlacement
}

// Placement is one group on one Destination.
type Placement struct {
	*kratix.WorkPlacement
	Work *kratix.Work
	// Directory is the group's.
	Directory string
	// New tells that no record of it exists yet.
	New bool
	// Misplaced tells that the Destination no longer fits.
	Misplaced bool
	// Reason says why this Destination.
	Reason string
}

// Unplaced is one group that is on no Destination.
type Unplaced struct {
	Work      *kratix.Work
	Directory string
	// Waits tells that it will be placed once a store can be read again.
	Waits bool
	// Reason is for people: "0/3 Destinations fit: 2 lack environment=prod".
	Reason string
}

// Plan places every group of every Work:
//
//	dependency  on every Destination that fits
//	resource    where it is already, else on one Destination that fits
//
// and keeps what is placed already where it is.
func Plan(in Input) Result {
	p := newPlanner(in)
	for _, work := range sortedWorks(in.Works) {
		for i := range work.Spec.WorkloadGroups {
			p.keep(work, &work.Spec.WorkloadGroups[i])
		}
	}
	for _, work := range sortedWorks(in.Works) {
		for i := range work.Spec.WorkloadGroups {
			p.place(work, &work.Spec.WorkloadGroups[i])
		}
	}
	p.release()
	return p.sorted()
}

func sortedWorks(works []*kratix.Work) []*kratix.Work {
	return slices.SortedFunc(slices.Values(works), func(a, b *kratix.Work) int {
		return compareKeys(kratix.KeyOf(a), kratix.KeyOf(b))
	})
}

func compareKeys(a, b kratix.Key) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// groupKey names a group of a Work.
type groupKey struct {
	work kratix.Key
	id   string
}

// requestKey names what several Works and groups belong to.
type requestKey struct{ namespace, promise, resource string }

func requestOf(w *kratix.Work) requestKey {
	return requestKey{w.Namespace, w.Spec.PromiseName, w.Spec.ResourceName}
}

type planner struct {
	matcher  *matcher
	existing map[groupKey][]*kratix.WorkPlacement
	// used marks the existing placements that a group still wants.
	used map[*kratix.WorkPlacement]bool
	// homes are the Destinations where a request has groups already.
	homes    map[requestKey][]string
	rejected map[kratix.Key]bool
	in       Input
	result   Result
}

func newPlanner(in Input) *planner {
	p := &planner{
		matcher:  newMatcher(in.Destinations),
		existing: map[groupKey][]*kratix.WorkPlacement{},
		used:     map[*kratix.WorkPlacement]bool{},
		homes:    map[requestKey][]string{},
		rejected: map[kratix.Key]bool{},
		in:       in,
	}
	for _, placement := range in.Existing {
		key := groupKey{placement.Work(), placement.Spec.ID}
		p.existing[key] = append(p.existing[key], placement)
	}
	for _, key := range in.Rejected {
		p.rejected[key] = true
	}
	return p
}

// keep carries the existing placements of a group over, up to date.
func (p *planner) keep(work *kratix.Work, group *kratix.WorkloadGroup) {
	fits := p.matcher.fits(work, group)
	for _, old := range p.existing[groupKey{kratix.KeyOf(work), group.ID}] {
		p.used[old] = true
		target := old.Spec.TargetDestinationName
		placement := Placement{
			WorkPlacement: kratix.NewWorkPlacement(work, group, target),
			Work:          work, Directory: group.Directory,
			Reason: "it is there already",
		}
		placement.Name = old.Name
		if !fits.has(target) {
			placement.Misplaced = true
			placement.Labels[kratix.MisplacedLabel] = "true"
			placement.Reason = "it is there already, though the Destination no longer fits: " + fits.whyNot(target)
		}
		p.add(placement)
	}
}

// place puts a group on the Destinations that it is to be on and is not yet.
func (p *planner) place(work *kratix.Work, group *kratix.WorkloadGroup) {
	placed := p.existing[groupKey{kratix.KeyOf(work), group.ID}]
	fits := p.matcher.fits(work, group)
	switch {
	case work.IsDependency():
		p.placeOnAll(work, group, fits, placed)
	case len(placed) == 0:
		p.placeOnOne(work, group, fits)
	}
}

func (p *planner) placeOnAll(work *kratix.Work, group *kratix.WorkloadGroup, fits *fit, placed []*kratix.WorkPlacement) {
	for _, destination := range fits.usable {
		if !isOn(placed, destination) {
			p.addNew(work, group, destination, "dependencies go to every Destination that fits")
		}
	}
	if len(fits.usable) == 0 && len(placed) == 0 {
		p.unplaced(work, group, fits.summary())
	}
}

func isOn(placed []*kratix.WorkPlacement, destination string) bool {
	return slices.ContainsFunc(placed, func(p *kratix.WorkPlacement) bool {
		return p.Spec.TargetDestinationName == destination
	})
}

func (p *planner) placeOnOne(work *kratix.Work, group *kratix.WorkloadGroup, fits *fit) {
	switch {
	case len(fits.unread) > 0:
		p.result.Unplaced = append(p.result.Unplaced, Unplaced{
			Work: work, Directory: group.Directory, Waits: true,
			Reason: "it may be on " + fits.unread[0] + " already, whose store cannot be read",
		})
	case len(fits.usable) == 0:
		p.unplaced(work, group, fits.summary())
	default:
		destination, reason := p.choose(requestOf(work), fits)
		p.addNew(work, group, destination, reason)
	}
}

// choose picks one of several Destinations that fit: where the request has
// another group already, else by the highest random weight, which spreads like
// chance and yet is the same every time.
func (p *planner) choose(request requestKey, fits *fit) (destination, reason string) {
	if len(fits.usable) == 1 {
		return fits.usable[0], "the only Destination that fits"
	}
	for _, home := range p.homes[request] {
		if slices.Contains(fits.usable, home) {
			return home, "another group of the same request is there"
		}
	}
	return heaviest(request, fits.usable), fits.spread()
}

func (p *planner) addNew(work *kratix.Work, group *kratix.WorkloadGroup, destination, reason string) {
	p.add(Placement{
		WorkPlacement: kratix.NewWorkPlacement(work, group, destination),
		Work:          work, Directory: group.Directory, New: true, Reason: reason,
	})
}

func (p *planner) add(placement Placement) {
	p.result.Placements = append(p.result.Placements, placement)
	if request := requestOf(placement.Work); request.resource != "" {
		p.homes[request] = append(p.homes[request], placement.Spec.TargetDestinationName)
	}
}

func (p *planner) unplaced(work *kratix.Work, group *kratix.WorkloadGroup, reason string) {
	p.result.Unplaced = append(p.result.Unplaced, Unplaced{Work: work, Directory: group.Directory, Reason: reason})
}

// release decides about the existing placements that no group wants.
func (p *planner) release() {
	known := map[kratix.Key]bool{}
	for _, work := range p.in.Works {
		known[kratix.KeyOf(work)] = true
	}
	for _, old := range p.in.Existing {
		switch {
		case p.used[old]:
		case p.rejected[old.Work()]:
			p.result.Kept = append(p.result.Kept, old)
		case p.in.Incomplete && !known[old.Work()]:
			p.result.Held = append(p.result.Held, old)
		default:
			p.result.Removed = append(p.result.Removed, old)
		}
	}
}

func (p *planner) sorted() Result {
	r := p.result
	slices.SortFunc(r.Placements, func(a, b Placement) int { return comparePlacements(a.WorkPlacement, b.WorkPlacement) })
	for _, list := range [][]*kratix.WorkPlacement{r.Kept, r.Held, r.Removed} {
		slices.SortFunc(list, comparePlacements)
	}
	return r
}

func comparePlacements(a, b *kratix.WorkPlacement) int {
	return cmp.Or(
		cmp.Compare(a.Spec.TargetDestinationName, b.Spec.TargetDestinationName),
		compareKeys(kratix.KeyOf(a), kratix.KeyOf(b)),
	)
}
