package components

import (
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

func conflict(subject, of, with string) finding.Finding {
	return finding.Finding{
		Rule: finding.DuplicateObject(), Subject: subject, Message: subject + " is there already", Flux: "no: " + subject,
		Place:   finding.Place{Object: "Work " + of},
		Related: []finding.Related{{Place: finding.Place{Object: "Work " + with}, Message: "request " + with}},
	}
}

func titles(groups []Group) string {
	var all []string
	for _, g := range groups {
		all = append(all, g.Title)
	}
	return strings.Join(all, ", ")
}

func TestFindingsAreGroupedByObject(t *testing.T) {
	groups := Groups([]finding.Finding{
		conflict("Namespace x", "b", "a"), conflict("Namespace y", "b", "a"), conflict("Namespace x", "c", "a"),
		conflict("Namespace z", "a", "b"),
		{Rule: finding.NoDestination(), Place: finding.Place{Object: "Work d"}, Message: "one"},
		{Rule: finding.Misplaced(), Place: finding.Place{Object: "Work d"}, Message: "two"},
		{Rule: finding.UnreadableInput(), Place: finding.Place{File: "f.yaml", Line: 3}, Message: "three"},
		{Rule: finding.UnusedIgnore(), Message: "four"},
	}, Options{})
	if got := titles(groups); got != "Namespace x, Namespace y, Work d, f.yaml, UnusedIgnore" {
		t.Fatal(got)
	}
	x := groups[0]
	var claimants []string
	for _, c := range x.Claimants {
		claimants = append(claimants, c.Text)
	}
	if got := strings.Join(claimants, ", "); got != "Work a, Work b, Work c" {
		t.Errorf("claimants %s", got)
	}
	if x.Count != 2 || len(x.Problems) != 1 || len(x.Problems[0].Items) != 1 || len(x.Problems[0].Flux) != 1 || x.Problems[0].Fix == "" {
		t.Errorf("the conflict about one object is %+v", x)
	}
	if y := groups[1]; y.Others != 1 || len(y.Claimants) != 2 || len(y.Problems[0].Items) != 2 {
		t.Errorf("the conflicts about two objects of the same Works are %+v", y)
	}
	if d := groups[2]; len(d.Problems) != 2 || len(d.Claimants) != 0 || d.Severity != finding.NoDestination().Severity.String() {
		t.Errorf("two rules about one Work are %+v", d)
	}
	if x.ID == groups[1].ID {
		t.Error("anchors do not identify objects")
	}
}

func TestGroupsAreBounded(t *testing.T) {
	var findings []finding.Finding
	for i := range 1000 {
		name := strings.Repeat("x", i+1)
		findings = append(findings, conflict("Namespace x", name, "a"))
		findings[i].Message += name
		findings[i].Flux += name
	}
	g := Groups(findings, Options{MaxItems: 20})[0]
	if p := g.Problems[0]; len(g.Claimants) != 20 || len(p.Items) != 20 || p.More != 980 || len(p.Flux) != maxQuotes || g.Count != 1000 {
		t.Errorf("%d claimants, %d items, %d more, %d quotes", len(g.Claimants), len(p.Items), p.More, len(p.Flux))
	}
	if some := Groups(findings[:1], Options{MaxItems: 20})[0]; some.Problems[0].More != 0 {
		t.Errorf("a group of one finding leaves out %d", some.Problems[0].More)
	}
	if all := Groups(findings, Options{})[0]; len(all.Problems[0].Items) != 1000 || len(all.Claimants) != 1001 {
		t.Errorf("without a maximum: %d items", len(all.Problems[0].Items))
	}
}

func TestLinesAreCutBetweenCharacters(t *testing.T) {
	for _, text := range []string{strings.Repeat("ü", 1<<20), "x" + strings.Repeat("ü", 1<<20), strings.Repeat("\x01", 1<<20), strings.Repeat("\u202e", 1<<20)} {
		got := Line(text, 99)
		if len(got) > 4*99+len("…") || strings.ContainsRune(got, '\uFFFD') || !strings.HasSuffix(got, "…") {
			t.Errorf("%q", got)
		}
	}
	if got := Line("a\nb", 99); got != `a\nb` {
		t.Errorf("%q", got)
	}
}
