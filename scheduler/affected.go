package scheduler

import (
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type keys map[kratix.Key]struct{}

func (k keys) has(key kratix.Key) bool {
	_, ok := k[key]
	return ok
}

func (k keys) add(others keys) { maps.Copy(k, others) }

func (k keys) remove(others keys) {
	for key := range others {
		delete(k, key)
	}
}

// affected returns the difference between the last input and in, and the Works that it affects
// directly.
func (p *Planner) affected(in Input) (delta, keys) {
	var d delta
	affected := keys{}
	d.lost, d.found = changed(p.last.Works, in.Works)
	for _, work := range slices.Concat(d.lost, d.found) {
		affected[kratix.KeyOf(work)] = struct{}{}
	}
	d.removed, d.recorded = changed(p.last.Existing, in.Existing)
	for _, placement := range slices.Concat(d.removed, d.recorded) {
		affected[placement.Work()] = struct{}{}
	}
	accepted, rejected := changed(p.last.Rejected, in.Rejected)
	for _, key := range slices.Concat(accepted, rejected) {
		affected[key] = struct{}{}
	}
	if in.Conflicts != nil || p.last.Conflicts != nil {
		affected.add(p.chosen)
	}
	return d, affected
}

type delta struct {
	lost, found       []*kratix.Work
	removed, recorded []*kratix.WorkPlacement
}

// changed returns the elements that are only in was, and those that are only in is.
func changed[T comparable](was, is []T) (gone, came []T) {
	for len(was) > 0 && len(is) > 0 && was[0] == is[0] {
		was, is = was[1:], is[1:]
	}
	for len(was) > 0 && len(is) > 0 && was[len(was)-1] == is[len(is)-1] {
		was, is = was[:len(was)-1], is[:len(is)-1]
	}
	count := make(map[T]int, len(was))
	for _, one := range is {
		count[one]++
	}
	for _, one := range was {
		if count[one]--; count[one] < 0 {
			gone = append(gone, one)
		}
	}
	for _, one := range is {
		if count[one] > 0 {
			count[one]--
			came = append(came, one)
		}
	}
	return gone, came
}
