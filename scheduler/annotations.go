package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// The annotations of a Destination.
const (
	// WeightAnnotation is a Destination's share of the requests: a whole number, 1 by default. Weight
	// 0 loses the draw against other weights.
	WeightAnnotation = "kratix-schedule.io/weight"
	// CordonAnnotation with the value "true" means that the Destination gets no new placements.
	CordonAnnotation = "kratix-schedule.io/cordon"
	// CapacityAnnotation is the maximum number of placements of requests on a Destination. Without it
	// there is no limit.
	CapacityAnnotation = "kratix-schedule.io/capacity"
	// FilepathModeAnnotation has the value of the Destination's spec.filepath.mode as confirmed by an
	// operator. Files in another filepath mode are then rewritten.
	FilepathModeAnnotation = "kratix-schedule.io/filepath-mode"
	// KubernetesVersionAnnotation is the version of the Destination's API server, for example "1.36".
	KubernetesVersionAnnotation = "kratix-schedule.io/kubernetes-version"
	// StateStoreAnnotation names, as KIND/NAME, the state store that Flux reads, if it is not the one
	// in the spec.
	StateStoreAnnotation = kratix.StateStoreAnnotation
)

// DependenciesAnnotation with the value OnDemand restricts a dependency to the Destinations that
// have a request of its Promise.
const (
	DependenciesAnnotation = "kratix-schedule.io/dependencies"
	OnDemand               = "on-demand"
)

// RetryAnnotation on a Work names a revision of the store that could not be applied. Files that
// were rolled back because of this revision are written again.
const RetryAnnotation = "kratix-schedule.io/retry-revision"

// OwnPrefix is the prefix of the annotations and labels of this program.
const OwnPrefix = "kratix-schedule.io/"

// maxWeight bounds weights so that their products fit in 64 bits.
const maxWeight = 1_000_000

const cordonedReason = "cordoned"

const unlimited = -1

type settings struct {
	weight   uint64
	capacity int
	// closed is the reason why the Destination accepts no new placements, or empty.
	closed  string
	invalid []string
}

// settingsOf parses a Destination's annotations. An invalid capacity or cordon closes the
// Destination for new placements.
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
	if text, ok := d.Annotations[KubernetesVersionAnnotation]; ok {
		if _, err := version.ParseGeneric(text); err != nil {
			s.refuse(KubernetesVersionAnnotation, text, `a version of Kubernetes, as "1.36"; until then it counts as unknown`)
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
	if text, given := d.Annotations[StateStoreAnnotation]; given {
		if _, ok := kratix.ParseStateStoreReference(text); !ok {
			s.refuse(StateStoreAnnotation, text, "KIND/NAME of a state store; until then the one in its spec counts")
		}
	}
	others := without(d.Annotations, kratix.ReportedAnnotation)
	s.invalid = append(s.invalid, unknown(others, "a Destination", WeightAnnotation, CordonAnnotation, CapacityAnnotation, FilepathModeAnnotation, StateStoreAnnotation, KubernetesVersionAnnotation)...)
	return s
}

// unknown returns a message for each annotation with OwnPrefix that is not among the known names.
func unknown(annotations map[string]string, object string, known ...string) []string {
	var messages []string
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		if strings.HasPrefix(strings.ToLower(name), OwnPrefix) && !slices.Contains(known, name) {
			messages = append(messages, fmt.Sprintf("the annotation %s has no meaning here and is ignored; %s may have %s", name, object, strings.Join(known, ", ")))
		}
	}
	return messages
}

func without(annotations map[string]string, name string) map[string]string {
	if _, there := annotations[name]; there {
		annotations = maps.Clone(annotations)
		delete(annotations, name)
	}
	return annotations
}

func (s *settings) refuse(annotation, value, want string) {
	s.invalid = append(s.invalid, fmt.Sprintf("the annotation %s is %q and must be %s", annotation, value, want))
}

func isOnDemand(w *kratix.Work) bool {
	return w.IsDependency() && w.Annotations[DependenciesAnnotation] == OnDemand
}

func invalidAnnotations(w *kratix.Work) []string {
	messages := unknown(without(w.Annotations, kratix.DecisionsAnnotation), "a Work", RetryAnnotation, DependenciesAnnotation)
	value, ok := w.Annotations[DependenciesAnnotation]
	switch {
	case !ok || value == OnDemand && w.IsDependency():
		return messages
	case !w.IsDependency():
		return append(messages, fmt.Sprintf("the annotation %s is for dependencies, and this Work is a request's; it is ignored", DependenciesAnnotation))
	}
	return append(messages, fmt.Sprintf("the annotation %s is %q and must be %q; until then the Work goes to every Destination that fits", DependenciesAnnotation, value, OnDemand))
}

// isReady reports whether the Destination's Ready condition is True or missing.
func isReady(d *kratix.Destination) bool {
	for _, c := range d.Status.Conditions {
		if c.Type == "Ready" {
			return c.Status == "True"
		}
	}
	return true
}
