package rollout

import "time"

// Removal is a Destination from which the dependencies of a deleted Promise are removed.
type Removal struct {
	Destination string
	Labels      Labels
}

// PlanRemoval returns for each Destination the reason why nothing is removed from it now, or "".
// The last wave is removed first. due is the next time at which the plan changes by itself, or
// zero.
func PlanRemoval(spec *Spec, from []Removal, hasRequests bool, now time.Time) (reasons []string, due time.Time) {
	last := -1
	for i := range from {
		last = max(last, spec.WaveOf(from[i].Labels))
	}
	why, next := spec.keepsRemoval(last, hasRequests, now)
	reasons = make([]string, len(from))
	for i := range from {
		switch wave := spec.WaveOf(from[i].Labels); {
		case why != "":
			reasons[i] = why
		case wave < last:
			reasons[i] = "Rollout " + spec.Name + " removes it after wave " + spec.waveName(last)
		}
	}
	return reasons, next
}

// keepsRemoval returns the reason why nothing is removed anywhere, or "". next is the time at which
// the next window opens, or zero.
func (s *Spec) keepsRemoval(last int, hasRequests bool, now time.Time) (why string, next time.Time) {
	switch {
	case hasRequests:
		return "requests of its Promise are still placed", next
	case s.Paused:
		return "Rollout " + s.Name + " is paused", next
	case last < 0:
		return "", next
	}
	isOpen, next := opens(s.Waves[min(last, len(s.Waves)-1)].Windows, now)
	switch {
	case isOpen:
		return "", time.Time{}
	case next.IsZero():
		return "no window of wave " + s.waveName(last) + " ever opens", next
	}
	return "the next window of wave " + s.waveName(last) + " opens at " + text(next), next
}

func (s *Spec) waveName(i int) string {
	if i < len(s.Waves) {
		return s.Waves[i].Name
	}
	return RestWave
}
