package kratix_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func TestPromiseSelectorsAreMerged(t *testing.T) {
	in := metav1.LabelSelectorRequirement{Key: "zone", Operator: "In", Values: []string{"a", "b"}}
	p := &kratix.Promise{}
	if !p.Selector().IsEmpty() {
		t.Error("nothing asks for something")
	}
	p.Spec.DestinationSelectors = []kratix.Selector{
		{MatchLabels: map[string]string{"env": "dev"}},
		{MatchLabels: map[string]string{"env": "prod", "gpu": "yes"}, MatchExpressions: []metav1.LabelSelectorRequirement{in}},
	}
	got := p.Selector()
	if got.Source != kratix.PromiseSource || got.MatchLabels["env"] != "dev" || got.MatchLabels["gpu"] != "yes" || len(got.MatchExpressions) != 1 {
		t.Errorf("%+v", got)
	}
}
