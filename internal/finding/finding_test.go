package finding_test

import (
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

func TestEveryRuleIsComplete(t *testing.T) {
	id := regexp.MustCompile(`^KS[01]\d\d$`)
	name := regexp.MustCompile(`^([A-Z][a-z]+|API)+$`)
	seen := map[string]bool{}
	for _, r := range finding.Rules() {
		if !id.MatchString(r.ID) || !name.MatchString(r.Name) || r.Severity == finding.None {
			t.Errorf("rule %+v", r)
		}
		for field, text := range map[string]string{"summary": r.Summary, "why": r.Why, "fix": r.Fix} {
			if len(text) < 10 || text[len(text)-1] != '.' {
				t.Errorf("%s: the %s is no sentence: %q", r.ID, field, text)
			}
		}
		if seen[r.ID] || seen[r.Name] {
			t.Errorf("%s %s is there twice", r.ID, r.Name)
		}
		seen[r.ID], seen[r.Name] = true, true
		if found, err := finding.ByID(r.ID); err != nil || found != r {
			t.Errorf("ByID(%s) = %v, %v", r.ID, found, err)
		}
	}
	if !slices.IsSortedFunc(finding.Rules(), func(a, b finding.Rule) int { return compare(a.ID, b.ID) }) {
		t.Error("the table is not in the order of the ids")
	}
	if _, err := finding.ByID("KS999"); err == nil {
		t.Error("KS999 was found")
	}
}

func compare(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

func TestSortBySeverity(t *testing.T) {
	in := []finding.Finding{
		{Rule: finding.IgnoredObject()},
		{Rule: finding.StoreFailed()},
		{Rule: finding.DuplicateObject(), Place: finding.Place{Object: "b", File: "f", Line: 10}},
		{Rule: finding.Misplaced()},
		{Rule: finding.DuplicateObject(), Place: finding.Place{Object: "b", File: "f", Line: 9}},
		{Rule: finding.DuplicateObject(), Place: finding.Place{Object: "a", File: "g"}},
	}
	finding.Sort(in)
	var got []string
	for _, f := range in {
		got = append(got, f.Rule.ID+" "+f.Place.String())
	}
	want := []string{"KS001 a, g", "KS001 b, f:9", "KS001 b, f:10", "KS060 ", "KS041 ", "KS026 "}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWorst(t *testing.T) {
	if finding.Worst(nil) != finding.None || finding.Worst([]finding.Finding{{Rule: finding.IgnoredObject()}, {Rule: finding.Misplaced()}}) != finding.Warning {
		t.Error("the worst is wrong")
	}
}

func TestPlaceOmitsUnknownParts(t *testing.T) {
	for want, p := range map[string]finding.Place{
		"":                       {},
		"Work default/a":         {Object: "Work default/a"},
		"Work default/a, x.yaml": {Object: "Work default/a", File: "x.yaml"},
		"x.yaml:3":               {File: "x.yaml", Line: 3},
	} {
		if p.String() != want {
			t.Errorf("got %q, want %q", p, want)
		}
	}
}

func TestFixOfFindingOverridesRule(t *testing.T) {
	if (finding.Finding{Rule: finding.StoreFailed(), Fix: "Start it."}).Advice() != "Start it." || (finding.Finding{Rule: finding.StoreFailed()}).Advice() != finding.StoreFailed().Fix {
		t.Error("the advice is wrong")
	}
}

func TestEqualComparesEveryField(t *testing.T) {
	if !(finding.Finding{}).Equal(finding.Finding{}) {
		t.Error("a finding is not equal to itself")
	}
	changes := map[string]any{
		"Rule": finding.DuplicateObject(), "Place": finding.Place{Line: 1}, "Subject": "x", "Message": "x", "Related": []finding.Related{{Message: "x"}}, "Flux": "x", "Cause": finding.NoObject, "Fix": "x",
	}
	for i := range reflect.TypeFor[finding.Finding]().NumField() {
		name := reflect.TypeFor[finding.Finding]().Field(i).Name
		var changed finding.Finding
		reflect.ValueOf(&changed).Elem().Field(i).Set(reflect.ValueOf(changes[name]))
		if changed.Equal(finding.Finding{}) {
			t.Errorf("findings that differ by %s are equal", name)
		}
	}
}
