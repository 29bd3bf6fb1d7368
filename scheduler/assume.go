package scheduler

import (
	"fmt"
	"maps"

	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// Assume gives Destinations that fit every Work, for an input that has none: as
// few as the labels that are asked for allow, since Works that can meet on one
// Destination may clash there. Their names are assumed-1 and so on.
func Assume(works []*kratix.Work) []*kratix.Destination {
	var assumed []*kratix.Destination
	for _, work := range sortedWorks(works) {
		for i := range work.Spec.WorkloadGroups {
			assumed = widen(assumed, selectorsOf(work, &work.Spec.WorkloadGroups[i]))
		}
	}
	return assumed
}

// widen gives the labels asked for to the first Destination that has no other
// values for them, or to a new one.
func widen(assumed []*kratix.Destination, asked selectors) []*kratix.Destination {
	for _, d := range assumed {
		if agree(d.Labels, asked) {
			maps.Copy(d.Labels, asked)
			return assumed
		}
	}
	d := &kratix.Destination{}
	d.Name = fmt.Sprintf("assumed-%d", len(assumed)+1)
	d.Labels = maps.Clone(map[string]string(asked))
	d.Spec.StateStoreRef = &kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "assumed"}
	return append(assumed, d)
}

// agree tells whether no label is asked for with another value than it has. A
// dry run never shares a Destination with anything else.
func agree(labels map[string]string, asked selectors) bool {
	if labels[kratix.DryRunLabel] != asked[kratix.DryRunLabel] {
		return false
	}
	for key, value := range asked {
		if has, ok := labels[key]; ok && has != value {
			return false
		}
	}
	return true
}
