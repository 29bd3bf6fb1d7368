package finding_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

func TestRepeatedFindingsAreFolded(t *testing.T) {
	some := func(n int, f finding.Finding) []finding.Finding {
		var all []finding.Finding
		for i := range n {
			f.Place = finding.Place{File: strconv.Itoa(i) + ".yaml", Line: 1}
			all = append(all, f)
		}
		return all
	}
	noObject := finding.Finding{Rule: finding.UnreadableInput(), Cause: finding.NoObject, Message: "it is not a Kubernetes object: kind is missing"}
	broken := finding.Finding{Rule: finding.UnreadableInput(), Message: "malformed YAML"}
	ignored := finding.Finding{Rule: finding.IgnoredObject(), Message: "ConfigMap of v1 is ignored"}
	unknown := finding.Finding{Rule: finding.UnknownField(), Message: "the field spec.a is not known and is ignored"}
	other := finding.Finding{Rule: finding.UnknownField(), Message: "the field spec.b is not known and is ignored"}
	unset := finding.Finding{Rule: finding.NamespaceMissing(), Cause: finding.NamespaceUnset, Message: "ConfigMap a: no namespace is set"}
	unset.Rule.Severity = finding.Warning
	unknown103 := finding.Finding{Rule: unset.Rule, Cause: finding.NamespaceUnknown, Message: `ConfigMap n/a: no file of the Destination creates the namespace "n"`}
	certain := finding.Finding{Rule: finding.NamespaceMissing(), Cause: finding.NamespaceUnknown, Message: "certain"}
	within := make([]finding.Finding, 4)
	for i := range within {
		within[i] = noObject
		within[i].Place = finding.Place{File: "a.yaml", Line: i + 1}
	}
	for name, tt := range map[string]struct {
		findings []finding.Finding
		want     []string
	}{
		"nothing":                                    {nil, nil},
		"a thousand files without objects":           {some(1000, noObject), []string{"0.yaml:1: 1,000 files are not Kubernetes objects; -v lists them"}},
		"documents of one file":                      {within, []string{"a.yaml:1: 4 documents are not Kubernetes objects; -v lists them"}},
		"three stay as they are":                     {some(3, ignored), []string{"0.yaml:1: ConfigMap of v1 is ignored", "1.yaml:1: ConfigMap of v1 is ignored", "2.yaml:1: ConfigMap of v1 is ignored"}},
		"objects of other kinds":                     {some(12345, ignored), []string{"0.yaml:1: 12,345 objects of other kinds are ignored; -v lists them"}},
		"malformed files":                            {some(4, broken), []string{"0.yaml:1: malformed YAML", "1.yaml:1: malformed YAML", "2.yaml:1: malformed YAML", "3.yaml:1: malformed YAML"}},
		"two kinds and a finding that is not folded": {append(append(some(4, noObject), broken), some(5, ignored)...), []string{"0.yaml:1: 4 files are not Kubernetes objects; -v lists them", ": malformed YAML", "0.yaml:1: 5 objects of other kinds are ignored; -v lists them"}},
		"objects without a namespace": {append(some(4, unset), some(5, unknown103)...), []string{
			"0.yaml:1: the objects of 4 placements have no namespace, and neither Flux nor the API server chooses one, unless the Flux Kustomization has a targetNamespace; -v lists them",
			"0.yaml:1: objects are in a namespace that no file of their Destination creates, 5 times; -v lists them",
		}},
		"errors about a namespace": {some(4, certain), []string{"0.yaml:1: certain", "1.yaml:1: certain", "2.yaml:1: certain", "3.yaml:1: certain"}},
		"one field that many have": {append(some(4, unknown), some(1, other)...), []string{
			"0.yaml:1: the field spec.a is not known and is ignored, 4 times; -v lists them", "0.yaml:1: the field spec.b is not known and is ignored",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for f := range finding.Fold(slices.Values(tt.findings)) {
				got = append(got, fmt.Sprintf("%s: %s", f.Place, f.Message))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestConflictsOfTwoClaimantsAreOneFinding(t *testing.T) {
	conflict := func(name, of, with string) finding.Finding {
		return finding.Finding{
			Rule: finding.DuplicateObject(), Place: finding.Place{Object: of}, Message: name + " is there already",
			Related: []finding.Related{{Place: finding.Place{Object: with}}},
		}
	}
	findings := []finding.Finding{
		conflict("a", "Work x", "Work y"), conflict("b", "Work x", "Work y"), {Rule: finding.UnreadableInput(), Message: "malformed YAML"},
		conflict("c", "Work x", "Work z"), conflict("d", "Work x", "Work y"), conflict("e", "Work w", "Work y"),
	}
	var got []string
	for f := range finding.FoldConflicts(slices.Values(findings)) {
		got = append(got, f.Message)
	}
	want := []string{
		"a is there already (and 2 more of its objects; the report has them)", "malformed YAML", "c is there already", "e is there already",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
