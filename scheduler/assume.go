package scheduler

import (
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Assume returns Destinations that fit the Works, for an input without Destinations. It reuses
// earlier Destinations, since Works can conflict only on a common Destination.
func Assume(works []*kratix.Work) []*kratix.Destination {
	var assumed []*assumption
	for _, work := range sortedWorks(works) {
		for i := range work.Spec.WorkloadGroups {
			assumed = widen(assumed, selectorsOf(work, &work.Spec.WorkloadGroups[i]))
		}
	}
	var destinations []*kratix.Destination
	for _, a := range assumed {
		destinations = append(destinations, a.Destination)
	}
	return destinations
}

type assumption struct {
	*kratix.Destination
	fits []selectors
}

// widen adds the selectors to the first assumed Destination that takes them, or else to a new one.
func widen(assumed []*assumption, asked selectors) []*assumption {
	for _, a := range assumed {
		if a.take(asked) {
			return assumed
		}
	}
	a := &assumption{Destination: &kratix.Destination{}}
	a.Name = fmt.Sprintf("assumed-%d", len(assumed)+1)
	a.Labels = map[string]string{}
	a.Spec.StateStoreRef = &kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "assumed"}
	a.take(asked)
	return append(assumed, a)
}

// take adds labels that satisfy these and the earlier selectors. It returns false if it finds none.
func (a *assumption) take(asked selectors) bool {
	if slices.ContainsFunc(a.fits, func(other selectors) bool { return other.requiresDryRun() != asked.requiresDryRun() }) {
		return false
	}
	labels := maps.Clone(a.Labels)
	for _, r := range asked {
		if _, has := labels[r.key]; !has {
			r.satisfy(labels, asked)
		}
	}
	a.fits = append(a.fits, asked)
	for _, s := range a.fits {
		if len(s.lacking(labels)) > 0 {
			a.fits = a.fits[:len(a.fits)-1]
			return false
		}
	}
	a.Labels = labels
	return true
}

func (r requirement) satisfy(labels map[string]string, asked selectors) {
	candidates := r.values
	switch r.operator {
	case metav1.LabelSelectorOpExists:
		candidates = []string{"true", "assumed"}
	case metav1.LabelSelectorOpNotIn, metav1.LabelSelectorOpDoesNotExist:
		return
	}
	for _, value := range candidates {
		labels[r.key] = value
		if !slices.ContainsFunc(asked, func(other requirement) bool { return other.key == r.key && !other.holds(labels) }) {
			return
		}
	}
	delete(labels, r.key)
}
