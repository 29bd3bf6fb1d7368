package kratixlike

import (
	"cmp"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func merge(selectors []kratix.Selector) map[string]string {
	rank := func(s kratix.Selector) int {
		return slices.Index([]string{kratix.ResourceWorkflowSource, kratix.PromiseWorkflowSource, kratix.PromiseSource}, s.Source)
	}
	merged := map[string]string{}
	for _, selector := range slices.SortedStableFunc(slices.Values(selectors), func(a, b kratix.Selector) int {
		return cmp.Compare(rank(a), rank(b))
	}) {
		maps.Copy(merged, selector.MatchLabels)
	}
	return merged
}

func matching(work *kratix.Work, group kratix.WorkloadGroup, destinations []*kratix.Destination) []string {
	labels := merge(group.DestinationSelectors)
	var names []string
	for _, destination := range destinations {
		if matches(work, labels, destination) {
			names = append(names, destination.Name)
		}
	}
	return names
}

func matches(work *kratix.Work, labels map[string]string, destination *kratix.Destination) bool {
	switch {
	case destination.IsDeleted():
		return false
	case destination.IsDryRun() && work.Labels[kratix.DryRunLabel] != "true":
		return false
	case len(labels) == 0 && destination.Spec.StrictMatchLabels && len(destination.Labels) > 0:
		return false
	}
	for key, value := range labels {
		if got, ok := destination.Labels[key]; !ok || got != value {
			return false
		}
	}
	return true
}
