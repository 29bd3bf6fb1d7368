package kratix_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func TestExpressionsAreValidatedAsInKubernetes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	operators := []metav1.LabelSelectorOperator{"In", "NotIn", "Exists", "DoesNotExist", "", "in", "Gt"}
	seen := map[bool]int{}
	for range 2000 {
		e := metav1.LabelSelectorRequirement{Key: []string{"", "a", "example.com/b"}[rng.IntN(3)], Operator: operators[rng.IntN(len(operators))]}
		for range rng.IntN(3) {
			e.Values = append(e.Values, []string{"", "x", "y"}[rng.IntN(3)])
		}
		_, err := metav1.LabelSelectorAsSelector(&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{e}})
		got := kratix.CheckExpressions([]metav1.LabelSelectorRequirement{e})
		if (err == nil) != (got == nil) {
			t.Fatalf("%+v: got %v, want %v", e, got, err)
		}
		seen[err == nil]++
	}
	if min(seen[true], seen[false]) < 100 {
		t.Errorf("too little happened: %v", seen)
	}
}

func TestWorkWithInvalidExpressionIsRejected(t *testing.T) {
	w := kratix.NewWork()
	w.Name, w.Spec.PromiseName = "a", "redis"
	w.Spec.WorkloadGroups = []kratix.WorkloadGroup{{ID: kratix.GroupID("dir"), Directory: "dir"}}
	selectors := []kratix.Selector{{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Gt"}}}}
	w.Spec.WorkloadGroups[0].DestinationSelectors = slices.Clone(selectors)
	want := `the destinationSelectors of the group "dir": matchExpressions: the operator "Gt" of a is not known: use In, NotIn, Exists or DoesNotExist`
	if err := kratix.Check(w); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	w.Spec.WorkloadGroups[0].DestinationSelectors[0].MatchExpressions[0].Operator = "Exists"
	if err := kratix.Check(w); err != nil {
		t.Error(err)
	}
}
