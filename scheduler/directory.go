package scheduler

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type directory struct {
	works     map[kratix.Key]*workState
	requests  map[requestKey][]kratix.Key
	demanding map[string]int
}

// workState is a Work with its placements. work is nil if there are placements and no Work.
type workState struct {
	work     *kratix.Work
	existing []*kratix.WorkPlacement
	on       []string
}

func newDirectory(in Input, plan Result) *directory {
	d := &directory{
		works: make(map[kratix.Key]*workState, len(in.Works)), requests: make(map[requestKey][]kratix.Key, len(in.Works)), demanding: map[string]int{},
	}
	for _, work := range in.Works {
		d.addWork(work)
	}
	for _, placement := range in.Existing {
		d.addExisting(placement)
	}
	for _, part := range plan.Destinations {
		for _, placement := range part.Placements {
			d.place(placement)
		}
	}
	return d
}

func (d *directory) of(key kratix.Key) *workState {
	known := d.works[key]
	if known == nil {
		known = &workState{}
		d.works[key] = known
	}
	return known
}

func (d *directory) addWork(work *kratix.Work) {
	key, request := kratix.KeyOf(work), requestOf(work)
	d.of(key).work = work
	d.requests[request] = append(d.requests[request], key)
	if isOnDemand(work) {
		d.demanding[work.Spec.PromiseName]++
	}
}

func (d *directory) addExisting(placement *kratix.WorkPlacement) {
	known := d.of(placement.Work())
	known.existing = append(known.existing, placement)
}

func (d *directory) place(placement Placement) {
	known := d.of(kratix.KeyOf(placement.Work))
	known.on = append(known.on, placement.Spec.TargetDestinationName)
}

// update applies the difference to the directory. It adds the Works of the same requests, and
// related Works of the same Promises, to affected.
func (d *directory) update(by delta, affected keys) {
	requests, promises := map[requestKey]bool{}, map[string]bool{}
	meet := func() {
		for key := range affected {
			known := d.of(key)
			if known.work != nil {
				requests[requestOf(known.work)] = true
				promises[known.work.Spec.PromiseName] = true
			}
			for _, placement := range known.existing {
				promises[placement.Spec.PromiseName] = true
			}
		}
	}
	meet()
	d.apply(by)
	meet()
	for request := range requests {
		for _, key := range d.requests[request] {
			affected[key] = struct{}{}
		}
	}
	d.addPromises(affected, promises)
}

func (d *directory) apply(by delta) {
	d.removeWorks(by.lost)
	for _, work := range by.found {
		d.addWork(work)
	}
	d.removeExisting(by.removed)
	for _, placement := range by.recorded {
		d.addExisting(placement)
	}
}

// removeWorks removes Works in time linear in their number.
func (d *directory) removeWorks(lost []*kratix.Work) {
	gone := map[requestKey]keys{}
	for _, work := range lost {
		key, request := kratix.KeyOf(work), requestOf(work)
		d.of(key).work = nil
		if gone[request] == nil {
			gone[request] = keys{}
		}
		gone[request][key] = struct{}{}
		if isOnDemand(work) {
			d.demanding[work.Spec.PromiseName]--
		}
	}
	for request, some := range gone {
		d.requests[request] = slices.DeleteFunc(d.requests[request], some.has)
		if len(d.requests[request]) == 0 {
			delete(d.requests, request)
		}
	}
}

// removeExisting removes existing placements in time linear in their number.
func (d *directory) removeExisting(removed []*kratix.WorkPlacement) {
	gone := make(map[*kratix.WorkPlacement]bool, len(removed))
	works := keys{}
	for _, placement := range removed {
		gone[placement] = true
		works[placement.Work()] = struct{}{}
	}
	for key := range works {
		known := d.of(key)
		known.existing = slices.DeleteFunc(known.existing, func(p *kratix.WorkPlacement) bool { return gone[p] })
	}
}

func (d *directory) addPromises(affected keys, promises map[string]bool) {
	demanding := false
	for promise := range promises {
		demanding = demanding || d.demanding[promise] > 0
	}
	if !demanding {
		return
	}
	wanted := func(promise string) bool { return promises[promise] && d.demanding[promise] > 0 }
	for key, known := range d.works {
		if known.work != nil && wanted(known.work.Spec.PromiseName) ||
			slices.ContainsFunc(known.existing, func(p *kratix.WorkPlacement) bool { return wanted(p.Spec.PromiseName) }) {
			affected[key] = struct{}{}
		}
	}
}

func (d *directory) input(in Input, affected keys) Input {
	in.Works, in.Existing = nil, nil
	for key := range affected {
		known := d.of(key)
		if known.work != nil {
			in.Works = append(in.Works, known.work)
		}
		in.Existing = append(in.Existing, known.existing...)
	}
	return in
}

func (d *directory) on(affected keys) map[string]bool {
	on := map[string]bool{}
	for key := range affected {
		for _, destination := range d.of(key).on {
			on[destination] = true
		}
	}
	return on
}

func (d *directory) record(affected keys, part Result) {
	for key := range affected {
		d.of(key).on = nil
	}
	for _, on := range part.Destinations {
		for _, placement := range on.Placements {
			d.place(placement)
		}
	}
	for key := range affected {
		if known := d.of(key); known.work == nil && len(known.existing)+len(known.on) == 0 {
			delete(d.works, key)
		}
	}
}
