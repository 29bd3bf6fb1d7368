package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// The annotations of a Destination. They are about new resource placements;
// what is on a Destination stays there whatever they say.
const (
	// WeightAnnotation is a Destination's share of what fits several: a
	// whole number, 1 when it is not set. A Destination of weight 0 is taken
	// only when no other fits.
	WeightAnnotation = "kratix-schedule.io/weight"
	// CordonAnnotation, when "true", keeps everything new away, dependencies
	// too.
	CordonAnnotation = "kratix-schedule.io/cordon"
	// CapacityAnnotation is how many resource placements a Destination takes:
	// a whole number; no limit when it is not set.
	CapacityAnnotation = "kratix-schedule.io/capacity"
	// FilepathModeAnnotation confirms the filepath mode that it names: what is laid
	// out in another one is laid out anew.
	FilepathModeAnnotation = "kratix-schedule.io/filepath-mode"
	// StateStoreAnnotation names, as KIND/NAME, the state store that clusters read where
	// Kratix writes to another one.
	StateStoreAnnotation = "kratix-schedule.io/state-store"
)

// DependenciesAnnotation, when OnDemand on a dependency Work, places it only
// where a request of its Promise is.
const (
	DependenciesAnnotation = "kratix-schedule.io/dependencies"
	OnDemand               = "on-demand"
)

// OwnPrefix begins the names of all annotations and labels that are for this program.
const OwnPrefix = "kratix-schedule.io/"

// maxWeight keeps comparisons of weights exact.
const maxWeight = 1_000_000

// cordonedReason says why nothing new goes to a cordoned Destination.
const cordonedReason = "cordoned"

// unlimited is the capacity of a Destination that has no limit.
const unlimited = -1

// settings are what the annotations of a Destination come to.
type settings struct {
	weight   uint64
	capacity int
	// closed says why nothing new may be placed; empty when it may.
	closed string
	// invalid are the annotations that could not be read.
	invalid []string
}

// settingsOf reads a Destination's annotations. One that should limit and
// cannot be read keeps everything new away, since what it should say is
// unknown.
func settingsOf(d *kratix.Destination) settings {
	s := settings{weight: 1, capacity: unlimited}
	if text, ok := d.Annotations[WeightAnnotation]; ok {
		if n, err := strconv.ParseUint(text, 10, 64); err == nil && n <= maxWeight {
			s.weight = n
		} else {
			s.refuse(WeightAnnotation, text, fmt.Sprintf("a whole number from 0 to %d; until then it counts as 1", maxWeight))
		}
	}
	if text, ok := d.Annotations[CapacityAnnotation]; ok {
		if n, err := strconv.ParseUint(text, 10, 31); err == nil {
			s.capacity = int(n)
		} else {
			s.refuse(CapacityAnnotation, text, "a whole number; until then nothing new is placed there")
			s.closed = "annotated with a " + CapacityAnnotation + " that cannot be read"
		}
	}
	switch text := d.Annotations[CordonAnnotation]; text {
	case "", "false":
	case "true":
		s.closed = cordonedReason
	default:
		s.refuse(CordonAnnotation, text, `"true" or "false"; until then nothing new is placed there`)
		s.closed = "annotated with a " + CordonAnnotation + " that cannot be read"
	}
	s.invalid = append(s.invalid, unknown(d.Annotations, "a Destination", WeightAnnotation, CordonAnnotation, CapacityAnnotation, FilepathModeAnnotation, StateStoreAnnotation)...)
	return s
}

// unknown says which annotations are named as ours and are none of those that
// an object may have.
func unknown(annotations map[string]string, object string, known ...string) []string {
	var messages []string
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		if strings.HasPrefix(strings.ToLower(name), OwnPrefix) && !slices.Contains(known, name) {
			messages = append(messages, fmt.Sprintf("the annotation %s says nothing here and is ignored; %s may have %s", name, object, strings.Join(known, ", ")))
		}
	}
	return messages
}

func (s *settings) refuse(annotation, value, want string) {
	s.invalid = append(s.invalid, fmt.Sprintf("the annotation %s is %q and must be %s", annotation, value, want))
}

// isOnDemand reports whether a dependency waits for a request of its Promise.
func isOnDemand(w *kratix.Work) bool {
	return w.IsDependency() && w.Annotations[DependenciesAnnotation] == OnDemand
}

// invalidAnnotations says what is wrong with a Work's annotations.
func invalidAnnotations(w *kratix.Work) []string {
	annotations := w.Annotations
	if _, decided := annotations[kratix.DecisionsAnnotation]; decided { // replicas write it, and a round reads it
		annotations = maps.Clone(annotations)
		delete(annotations, kratix.DecisionsAnnotation)
	}
	messages := unknown(annotations, "a Work of dependencies", DependenciesAnnotation)
	value, ok := w.Annotations[DependenciesAnnotation]
	switch {
	case !ok || value == OnDemand && w.IsDependency():
		return messages
	case !w.IsDependency():
		return append(messages, fmt.Sprintf("the annotation %s is for dependencies, and this Work is a request's; it is ignored", DependenciesAnnotation))
	}
	return append(messages, fmt.Sprintf("the annotation %s is %q and must be %q; until then the Work goes to every Destination that fits", DependenciesAnnotation, value, OnDemand))
}

// isReady reports whether a Destination is not said to be unready.
func isReady(d *kratix.Destination) bool {
	for _, c := range d.Status.Conditions {
		if c.Type == "Ready" {
			return c.Status == "True"
		}
	}
	return true
}
