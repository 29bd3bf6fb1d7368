package kratixlike

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func destination(name string, labels map[string]string) *kratix.Destination {
	return testkit.Destination(name, testkit.Labelled(labels))
}

func TestSelectorsAreMergedByPrecedence(t *testing.T) {
	selector := func(source, key, value string) kratix.Selector {
		return kratix.Selector{Source: source, MatchLabels: map[string]string{key: value}}
	}
	got := merge([]kratix.Selector{
		selector(kratix.PromiseSource, "a", "promise"),
		selector(kratix.PromiseWorkflowSource, "a", "promise-workflow"),
		selector(kratix.PromiseWorkflowSource, "b", "promise-workflow"),
		selector(kratix.ResourceWorkflowSource, "b", "resource-workflow"),
		selector(kratix.ResourceWorkflowSource, "c", "first"),
		selector(kratix.ResourceWorkflowSource, "c", "last"),
	})
	for key, want := range map[string]string{"a": "promise", "b": "promise-workflow", "c": "last"} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
}

func TestMatchingDestinations(t *testing.T) {
	strict := destination("strict", map[string]string{"a": "b"})
	strict.Spec.StrictMatchLabels = true
	bare := destination("bare", nil)
	bare.Spec.StrictMatchLabels = true
	leaving := destination("leaving", map[string]string{"a": "b"})
	leaving.DeletionTimestamp = &metav1.Time{Time: metav1.Now().Time}
	destinations := []*kratix.Destination{
		destination("plain", nil), destination("labelled", map[string]string{"a": "b"}), destination("other", map[string]string{"a": "c"}),
		destination("dry", map[string]string{"a": "b", kratix.DryRunLabel: "true"}), strict, bare, leaving,
	}
	dry := map[string]string{kratix.DryRunLabel: "true"}
	for name, c := range map[string]struct {
		work, asked map[string]string
		want        []string
	}{
		"nothing asked for":        {nil, nil, []string{"plain", "labelled", "other", "bare"}},
		"a label":                  {nil, map[string]string{"a": "b"}, []string{"labelled", "strict"}},
		"a label that is empty":    {nil, map[string]string{"x": ""}, nil},
		"a dry run":                {dry, nil, []string{"plain", "labelled", "other", "dry", "bare"}},
		"a dry run with its label": {dry, map[string]string{"a": "b"}, []string{"labelled", "dry", "strict"}},
	} {
		work := &kratix.Work{ObjectMeta: metav1.ObjectMeta{Labels: c.work}}
		group := kratix.WorkloadGroup{DestinationSelectors: []kratix.Selector{{MatchLabels: c.asked, Source: kratix.PromiseSource}}}
		if got := matching(work, group, destinations); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
