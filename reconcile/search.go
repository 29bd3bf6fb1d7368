package reconcile

import "slices"

// search finds the units that a server refuses, by writing smaller and smaller groups. It may take
// several rounds.
type search struct {
	// group are the units of a refused write that are still to be tried.
	group []suspect
	// origin is the group as it was last refused. hasChanged means that the group has lost units since
	// then.
	origin     []suspect
	hasChanged bool
	// backwards means that the second half of a group is tried first.
	backwards bool
	untried   []suspect
	// alone are units that are tried one by one, because they were refused before.
	alone []suspect
}

func (s *search) isOver() bool { return len(s.group)+len(s.untried)+len(s.alone) == 0 }

// all returns the units that only the search may write.
func (s *search) all() []suspect { return slices.Concat(s.group, s.untried, s.alone) }

func (s *search) add(refused []suspect) {
	if len(s.group) == 0 {
		s.recordRefused(refused)
		return
	}
	s.untried = append(s.untried, refused...)
}

func (s *search) recordRefused(refused []suspect) {
	s.group, s.origin, s.hasChanged = refused, refused, false
}

func (s *search) keep(current map[suspect]bool) {
	gone := func(one suspect) bool { return !current[one] }
	s.hasChanged = s.hasChanged || slices.ContainsFunc(s.group, gone)
	s.group = slices.DeleteFunc(slices.Clone(s.group), gone)
	s.origin = slices.DeleteFunc(slices.Clone(s.origin), gone)
	s.untried = slices.DeleteFunc(slices.Clone(s.untried), gone)
	s.alone = slices.DeleteFunc(slices.Clone(s.alone), gone)
}

// next returns the units to write next, or nil if the search is over.
func (s *search) next() []suspect {
	switch {
	case len(s.group) > 0:
		tried, _ := s.halves()
		return tried
	case len(s.untried) > 0:
		return s.untried
	case len(s.alone) > 0:
		return s.alone[:1]
	}
	return nil
}

func (s *search) halves() (tried, other []suspect) {
	at := half(s.group)
	if s.backwards && len(s.group) > 1 {
		return s.group[at:], s.group[:at]
	}
	return s.group[:at], s.group[at:]
}

// half returns the index at which to divide a group: near the middle, and between two Destinations
// if possible.
func half(group []suspect) int {
	middle := (len(group) + 1) / 2
	for off := range middle {
		for _, at := range []int{middle - off, middle + off} {
			if at > 0 && at < len(group) && group[at-1].destination != group[at].destination {
				return at
			}
		}
	}
	return middle
}

func (s *search) accepted() {
	switch {
	case len(s.group) > 0:
		_, s.group = s.halves()
		s.hasChanged = true
	case len(s.untried) > 0:
		s.untried = nil
	default:
		s.alone = s.alone[1:]
	}
}

// refused processes the refusal of the units that next returned. It returns the refused unit if
// there was only one.
func (s *search) refused() (found []suspect) {
	tried := s.next()
	switch {
	case len(s.group) > 0:
		_, other := s.halves()
		s.untried, s.group = append(s.untried, other...), nil
	case len(s.untried) > 0:
		s.untried = nil
	default:
		s.alone = s.alone[1:]
	}
	if len(tried) == 1 {
		s.backwards = !s.backwards
		return tried
	}
	s.recordRefused(slices.Clone(tried))
	return nil
}

// empty processes a trial that would change nothing by itself. It returns the units that no trial
// can tell apart, if there are any.
func (s *search) empty() (found []suspect) {
	tried := s.next()
	switch {
	case len(s.group) == 0 && len(s.untried) > 0:
		s.untried = nil
	case len(s.group) == 0:
		s.alone = s.alone[1:]
	case len(s.group) > len(tried):
		_, s.group = s.halves()
		s.untried = append(s.untried, tried...)
	case s.hasChanged:
		s.group, s.untried = nil, append(s.untried, tried...)
	default:
		found = s.origin
		s.untried = slices.DeleteFunc(s.untried, func(one suspect) bool { return slices.Contains(found, one) })
		s.group = nil
	}
	return found
}

// take processes a refusal that names the refused units. The other units of the trial become
// untried.
func (s *search) take(tried, named []suspect) {
	isNamed := func(one suspect) bool { return slices.Contains(named, one) }
	isTried := func(one suspect) bool { return slices.Contains(tried, one) }
	s.group = slices.DeleteFunc(slices.Clone(s.group), isTried)
	s.alone = slices.DeleteFunc(slices.Clone(s.alone), isTried)
	s.untried = slices.DeleteFunc(slices.Clone(s.untried), isTried)
	s.untried = append(s.untried, slices.DeleteFunc(slices.Clone(tried), isNamed)...)
}
