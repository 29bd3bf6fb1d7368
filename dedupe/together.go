package dedupe

import "slices"

// admitTogether looks for claims that fit only if they are all admitted at
// once: two that swap objects, or all owners of a shared object that change it
// alike. It reports whether it found some.
func (s *session) admitTogether(order []int) bool {
	for _, i := range order {
		if s.states[i] != waiting {
			continue
		}
		if group := s.dependents(i); len(group) > 1 && s.admitGroup(group) {
			return true
		}
	}
	return false
}

// dependents returns a claim and the waiting ones that would have to give
// something up for it, and for these; nothing when others are in the way.
func (s *session) dependents(i int) []int {
	group := []int{i}
	for at := 0; at < len(group); at++ {
		for _, e := range s.parsed[group[at]].wanted {
			for _, other := range s.index.at(e.id) {
				if slices.Contains(group, other.claim()) || s.compatible(e, other) {
					continue
				}
				if other.claim() == foreign || s.states[other.claim()] != waiting {
					return nil
				}
				group = append(group, other.claim())
			}
		}
	}
	return group
}

// admitGroup admits claims at once, if they fit.
func (s *session) admitGroup(group []int) bool {
	before := s.index.clone()
	for _, i := range group {
		for _, e := range s.parsed[i].stored {
			s.index.remove(e)
		}
	}
	for _, i := range group {
		if !s.free(s.parsed[i].wanted) {
			s.index = before
			return false
		}
		for _, e := range s.parsed[i].wanted {
			s.index.add(e)
		}
	}
	for _, i := range group {
		s.states[i] = admitted
	}
	return true
}
