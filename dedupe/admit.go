package dedupe

import (
	"bytes"
	"slices"
)

type admission struct {
	*parsed
	states []state
	index  *index
}

// admit decides which of the eligible claims are written: all of them if they fit together, and
// otherwise those that fit, in the order of admission.
func admit(p *parsed, states []state) *admission {
	a := &admission{parsed: p, states: slices.Clone(states), index: p.foreign.clone()}
	if !a.admitAll() {
		a.index = p.foreign.clone()
		a.admitOneByOne()
	}
	return a
}

// admitAll admits all eligible claims and returns true, or returns false if they would conflict.
func (a *admission) admitAll() bool {
	for i, claim := range a.claims {
		entries := claim.stored
		if a.states[i] == eligible {
			entries = claim.wanted
		}
		a.index.add(entries...)
	}
	if a.index.hasConflict(a.copies) {
		return false
	}
	for i, st := range a.states {
		if st == eligible {
			a.states[i] = admitted
		}
	}
	return true
}

func (a *admission) admitOneByOne() {
	for _, claim := range a.claims {
		a.index.add(claim.stored...)
	}
	for progress := true; progress; {
		progress = false
		for _, i := range a.order {
			if a.states[i] == eligible && a.admitOne(i) {
				a.states[i] = admitted
				progress = true
			}
		}
		progress = progress || a.admitTogether()
	}
}

// admitOne replaces the stored objects of a claim in the index by the wanted ones if they fit or
// are unchanged. It reports whether it did so.
func (a *admission) admitOne(i int) bool {
	claim := a.claims[i]
	a.index.remove(claim.stored...)
	next, fits := claim.stored, a.index.fits(claim.wanted, a.copies) || a.isUnchanged(i)
	if fits {
		next = claim.wanted
	}
	a.index.add(next...)
	return fits
}

// isUnchanged reports whether a claim has the same objects in the same files in its wanted and its
// stored content. With the policy Share, the contents must be equal too.
func (a *admission) isUnchanged(i int) bool {
	claim := a.claims[i]
	return len(claim.stored) > 0 && slices.EqualFunc(claim.stored, claim.wanted, func(x, y *entry) bool {
		return x.path == y.path && x.id == y.id && (a.root.Policy != Share || bytes.Equal(x.text, y.text))
	})
}

// admitTogether admits one group of claims that fit together, such as two claims that swap objects.
// It reports whether there is one.
func (a *admission) admitTogether() bool {
	for _, i := range a.order {
		if a.states[i] != eligible {
			continue
		}
		if group := a.dependents(i); len(group) > 1 && a.admitGroup(group) {
			return true
		}
	}
	return false
}

// dependents returns a claim and the eligible claims with which it conflicts, directly or
// indirectly. It returns nil if a conflict is with a foreign file or with a claim that is not
// eligible.
func (a *admission) dependents(i int) []int {
	group := []int{i}
	for at := 0; at < len(group); at++ {
		for _, e := range a.claims[group[at]].wanted {
			for _, other := range a.index.at(e.id) {
				if slices.Contains(group, other.claim()) || a.copies.compatible(e, other) {
					continue
				}
				if other.of == nil || a.states[other.claim()] != eligible {
					return nil
				}
				group = append(group, other.claim())
			}
		}
	}
	return group
}

func (a *admission) admitGroup(group []int) bool {
	before := a.index.clone()
	for _, i := range group {
		a.index.remove(a.claims[i].stored...)
	}
	for _, i := range group {
		if !a.index.fits(a.claims[i].wanted, a.copies) {
			a.index = before
			return false
		}
		a.index.add(a.claims[i].wanted...)
	}
	for _, i := range group {
		a.states[i] = admitted
	}
	return true
}
