package scheduler

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// selectors are the merged requirements of a group on a Destination's labels, sorted by key.
type selectors []requirement

type requirement struct {
	key      string
	operator metav1.LabelSelectorOperator
	values   []string
	source   string
}

// equals is the operator of matchLabels.
const equals metav1.LabelSelectorOperator = "="

func precedence() []string {
	return []string{kratix.ResourceWorkflowSource, kratix.PromiseWorkflowSource, kratix.PromiseSource}
}

// selectorsOf merges a group's selectors as Kratix does. The group of a dry run has one selector,
// for a Destination for dry runs.
func selectorsOf(work *kratix.Work, group *kratix.WorkloadGroup) selectors {
	if isDryRun(work) {
		return selectors{{key: kratix.DryRunLabel, operator: equals, values: []string{"true"}}}
	}
	merged, _ := merge(group.DestinationSelectors)
	return merged
}

func isDryRun(work *kratix.Work) bool { return work.Labels[kratix.DryRunLabel] == "true" }

// merge returns the requirements that apply, and those that were overruled: by a source of higher
// precedence, or by a later selector of the same source.
func merge(all []kratix.Selector) (merged, overruled selectors) {
	byRank := slices.Clone(all)
	slices.Reverse(byRank)
	slices.SortStableFunc(byRank, func(a, b kratix.Selector) int { return cmp.Compare(rankOf(b.Source), rankOf(a.Source)) })
	taken := map[string]bool{}
	for _, selector := range byRank {
		for _, r := range requirementsOf(selector) {
			if taken[r.key] {
				overruled = append(overruled, r)
			} else {
				merged = append(merged, r)
			}
		}
		for _, r := range merged {
			taken[r.key] = true
		}
	}
	slices.SortStableFunc(merged, func(a, b requirement) int { return cmp.Compare(a.key, b.key) })
	return merged, overruled
}

func rankOf(source string) int { return slices.Index(precedence(), source) }

func requirementsOf(s kratix.Selector) selectors {
	var asked selectors
	for _, key := range slices.Sorted(maps.Keys(s.MatchLabels)) {
		asked = append(asked, requirement{key: key, operator: equals, values: []string{s.MatchLabels[key]}, source: s.Source})
	}
	for _, e := range s.MatchExpressions {
		values := slices.Compact(slices.Sorted(slices.Values(e.Values)))
		asked = append(asked, requirement{key: e.Key, operator: e.Operator, values: values, source: s.Source})
	}
	slices.SortStableFunc(asked, func(a, b requirement) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.String(), b.String()))
	})
	return asked
}

// holds reports whether the labels satisfy the requirement, as in Kubernetes.
func (r *requirement) holds(labels map[string]string) bool {
	value, has := labels[r.key]
	switch r.operator {
	case equals, metav1.LabelSelectorOpIn:
		return has && slices.Contains(r.values, value)
	case metav1.LabelSelectorOpNotIn:
		return !has || !slices.Contains(r.values, value)
	case metav1.LabelSelectorOpExists:
		return has
	case metav1.LabelSelectorOpDoesNotExist:
		return !has
	}
	return false
}

func (r requirement) String() string {
	switch r.operator {
	case metav1.LabelSelectorOpExists:
		return r.key
	case metav1.LabelSelectorOpDoesNotExist:
		return "!" + r.key
	case metav1.LabelSelectorOpIn:
		return r.key + " in (" + strings.Join(r.values, ",") + ")"
	case metav1.LabelSelectorOpNotIn:
		return r.key + " notin (" + strings.Join(r.values, ",") + ")"
	}
	return r.key + "=" + strings.Join(r.values, ",")
}

func (s selectors) String() string {
	parts := make([]string, len(s))
	for i, r := range s {
		parts[i] = r.String()
	}
	return strings.Join(parts, ",")
}

// key returns a string that identifies these requirements unambiguously.
func (s selectors) key() string {
	var words []string
	for _, r := range s {
		words = append(words, r.key, string(r.operator), strconv.Itoa(len(r.values)))
		words = append(words, r.values...)
	}
	return fmt.Sprintf("%q", words)
}

func (s selectors) hold(labels map[string]string) bool {
	for i := range s {
		if !s[i].holds(labels) {
			return false
		}
	}
	return true
}

func (s selectors) lacking(labels map[string]string) selectors {
	var lacking selectors
	for _, r := range s {
		if !r.holds(labels) {
			lacking = append(lacking, r)
		}
	}
	return lacking
}

func (s selectors) requiresDryRun() bool {
	return slices.ContainsFunc(s, func(r requirement) bool {
		return r.key == kratix.DryRunLabel && r.operator == equals && slices.Contains(r.values, "true")
	})
}
