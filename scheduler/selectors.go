package scheduler

import (
	"maps"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// selectors are the labels that a group asks a Destination for, merged.
type selectors map[string]string

// precedence orders the sources of selectors; a later one wins.
func precedence() []string {
	return []string{kratix.ResourceWorkflowSource, kratix.PromiseWorkflowSource, kratix.PromiseSource}
}

// selectorsOf merges a group's selectors by the precedence of their sources.
// Within one source the first to ask for a label wins. A dry run asks for
// nothing but a Destination for dry runs.
func selectorsOf(work *kratix.Work, group *kratix.WorkloadGroup) selectors {
	if work.Labels[kratix.DryRunLabel] == "true" {
		return selectors{kratix.DryRunLabel: "true"}
	}
	merged := selectors{}
	for _, source := range append([]string{""}, precedence()...) {
		asked := selectors{}
		for _, selector := range slices.Backward(group.DestinationSelectors) {
			if rankOf(selector.Source) == source {
				maps.Copy(asked, selector.MatchLabels)
			}
		}
		maps.Copy(merged, asked)
	}
	return merged
}

// rankOf gives the source itself, or "" for one that is not known: the lowest.
func rankOf(source string) string {
	if slices.Contains(precedence(), source) {
		return source
	}
	return ""
}

// String gives the labels as kubectl writes them: "a=1,b=2".
func (s selectors) String() string {
	pairs := make([]string, 0, len(s))
	for _, key := range slices.Sorted(maps.Keys(s)) {
		pairs = append(pairs, key+"="+s[key])
	}
	return strings.Join(pairs, ",")
}

// lacking gives the labels that a Destination lacks, as String does.
func (s selectors) lacking(labels map[string]string) string {
	missing := selectors{}
	for key, value := range s {
		if has, ok := labels[key]; !ok || has != value {
			missing[key] = value
		}
	}
	return missing.String()
}
