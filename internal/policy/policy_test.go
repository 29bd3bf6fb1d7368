package policy

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

func conflict(object, file string, line int) finding.Finding {
	return finding.Finding{
		Rule: finding.DuplicateObject(), Place: finding.Place{Object: object, File: file, Line: line}, Message: "twice",
		Related: []finding.Related{{Place: finding.Place{Object: "Work default/owner", File: "owner.yaml", Line: 9}}},
	}
}

func TestIgnores(t *testing.T) {
	f := conflict("Work default/b", "dir/x.yaml", 3)
	for text, want := range map[string]bool{
		"KS001": true, "KS002": false,
		"KS001:Work default/b": true, "KS001:default/*": true, "KS001:default/c": false,
		"KS001:dir/x.yaml": true, "KS001:*.yaml": true, "KS001:y.yaml": false,
		"KS001:default/owner": true, "KS001:owner.yaml": true,
	} {
		ignore, err := ParseIgnore(text)
		if err != nil {
			t.Fatal(err)
		}
		out := Policy{Ignores: []Ignore{ignore}}.Apply([]finding.Finding{f})
		if ignored := out.Ignored == 1; ignored != want {
			t.Errorf("%s: ignored %t", text, ignored)
		}
		if noted := len(out.Findings) == 1 && out.Findings[0].Rule == finding.UnusedIgnore() || len(out.Findings) == 2; noted == want {
			t.Errorf("%s: noted %t: %v", text, noted, out.Findings)
		}
		if ignore.String() != text {
			t.Errorf("%s is written %s", text, ignore)
		}
	}
	for _, text := range []string{"", "KS060", "KS060:*", "KS999", "KS001:", "KS001:[", "ks001"} {
		if _, err := ParseIgnore(text); !errors.Is(err, ErrIgnore) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestCommentsBesideDocuments(t *testing.T) {
	const file = `# kratix-schedule:ignore KS001,KS002 shared on purpose
---
kind: A
---
kind: B # kratix-schedule:ignore KS003
# about kratix-schedule:ignore KS004
text: "#kratix-schedule:ignore KS005"
---
kind: C
`
	var got []string
	for _, c := range Comments("Work default/a", "x.yaml", []byte(file)) {
		got = append(got, cmp.Diff(Comment{}, c))
	}
	want := []string{
		cmp.Diff(Comment{}, Comment{Rule: "KS001", Reason: "shared on purpose", Place: finding.Place{Object: "Work default/a", File: "x.yaml", Line: 1}, First: 1, Last: 3}),
		cmp.Diff(Comment{}, Comment{Rule: "KS002", Reason: "shared on purpose", Place: finding.Place{Object: "Work default/a", File: "x.yaml", Line: 1}, First: 1, Last: 3}),
		cmp.Diff(Comment{}, Comment{Rule: "KS003", Place: finding.Place{Object: "Work default/a", File: "x.yaml", Line: 5}, First: 4, Last: 7}),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCommentSyntax(t *testing.T) {
	for line, want := range map[string]struct {
		rules  []string
		reason string
	}{
		"# kratix-schedule:ignore KS001 shared":              {[]string{"KS001"}, "shared"},
		"#kratix-schedule:ignore KS001":                      {[]string{"KS001"}, ""},
		"a: b #\tkratix-schedule:ignore  KS001":              {[]string{"KS001"}, ""},
		"# kratix-schedule:ignore KS001, KS002 , KS003 both": {[]string{"KS001", "KS002", "KS003"}, "both"},
		"# kratix-schedule:ignore KS001 this, that":          {[]string{"KS001"}, "this, that"},
		"# kratix-schedule:ignore KS001: shared":             {[]string{"KS001"}, ": shared"},
		"# kratix-schedule:ignore":                           {[]string{""}, ""},
		"# kratix-schedule:ignored KS001":                    {nil, ""},
		"a: b#kratix-schedule:ignore KS001":                  {nil, ""},
		"# write kratix-schedule:ignore KS001":               {nil, ""},
	} {
		rules, reason := parseComment(line)
		if !slices.Equal(rules, want.rules) || reason != want.reason {
			t.Errorf("%q: %q, %q", line, rules, reason)
		}
	}
}

func TestCommentCoversItsDocument(t *testing.T) {
	comment := Comment{Rule: "KS001", Place: finding.Place{Object: "Work default/b", File: "x.yaml", Line: 2}, First: 1, Last: 4}
	for name, c := range map[string]struct {
		comment Comment
		finding finding.Finding
		want    bool
	}{
		"in the document":                {comment, conflict("Work default/b", "x.yaml", 4), true},
		"in the next one":                {comment, conflict("Work default/b", "x.yaml", 5), false},
		"without a line":                 {comment, conflict("Work default/b", "x.yaml", 0), true},
		"in another Work's file":         {comment, conflict("Work default/c", "x.yaml", 4), false},
		"in another file":                {comment, conflict("Work default/b", "y.yaml", 4), false},
		"the other side of the conflict": {Comment{Rule: "KS001", Place: finding.Place{Object: "Work default/owner", File: "owner.yaml"}, First: 9, Last: 9}, conflict("Work default/b", "x.yaml", 4), true},
		"about an object of the document": {
			Comment{Rule: "KS001", Place: finding.Place{File: "in.yaml"}, Objects: []string{"Work default/b"}}, conflict("Work default/b", "x.yaml", 4), true,
		},
		"another rule": {Comment{Rule: "KS002", Place: comment.Place, First: 1, Last: 9}, conflict("Work default/b", "x.yaml", 4), false},
	} {
		out := Policy{Comments: []Comment{c.comment}}.Apply([]finding.Finding{c.finding})
		if got := out.Ignored == 1; got != c.want {
			t.Errorf("%s: ignored %t", name, got)
		}
	}
}

func TestIgnoreThatMatchesNothingIsANote(t *testing.T) {
	p := Policy{
		Ignores:  []Ignore{{Rule: "KS003"}},
		Comments: []Comment{{Rule: "KS001", Place: finding.Place{File: "x.yaml", Line: 1}}, {Rule: "KS1", Place: finding.Place{File: "x.yaml", Line: 2}}, {Place: finding.Place{File: "x.yaml", Line: 3}}},
	}
	var got []string
	for _, f := range p.Apply(nil).Findings {
		got = append(got, f.Rule.ID+" "+f.Place.String()+": "+f.Message)
	}
	want := []string{
		"KS027 : --ignore KS003 matches nothing",
		"KS027 x.yaml:1: the comment that ignores KS001 matches nothing",
		"KS027 x.yaml:2: the comment ignores KS1, which is not a rule",
		"KS027 x.yaml:3: the comment ignores nothing: name the rule after kratix-schedule:ignore",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBaseline(t *testing.T) {
	first, second := conflict("Work default/b", "x.yaml", 3), conflict("Work default/c", "x.yaml", 3)
	content, err := FormatBaseline([]finding.Finding{second, first, {Rule: finding.IgnoredObject()}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := FormatBaseline([]finding.Finding{first, second})
	if err != nil || string(again) != string(content) {
		t.Errorf("the order of findings matters:\n%s\n%s", content, again)
	}
	known, err := ParseBaseline(content)
	if err != nil {
		t.Fatal(err)
	}
	moved := first
	moved.Place.Line = 30
	p := Policy{Known: known}
	for range 2 { // twice, because Apply must not change the Policy
		out := p.Apply([]finding.Finding{moved, first, second})
		if out.Known != 2 || len(out.Findings) != 1 {
			t.Errorf("%+v", out)
		}
	}
	failed := finding.Finding{Rule: finding.StoreFailed(), Message: "down"}
	known = Baseline{known: map[string]int{failed.Fingerprint(): 1}}
	if out := (Policy{Known: known}).Apply([]finding.Finding{failed}); out.Known != 0 || len(out.Findings) != 1 {
		t.Errorf("a store that failed is put up with: %+v", out)
	}
	for _, bad := range []string{"findings: 3", "findings: [{rule: KS001}]", "other: []", "a: b: c", "[]"} {
		if _, err := ParseBaseline([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a baseline", bad)
		}
	}
}
