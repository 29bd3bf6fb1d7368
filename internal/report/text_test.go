package report

import (
	"errors"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func at(object, file string, line int) finding.Place {
	return finding.Place{Object: object, File: file, Line: line}
}

func TestText(t *testing.T) {
	conflict := finding.DuplicateObject()
	conflict.Fix = "Do this."
	findings := []finding.Finding{
		{
			Rule: conflict, Place: at("Work default/b", "x.yaml", 3), Message: "ConfigMap default/x is there already",
			Related: []finding.Related{{Place: at("Work default/a", "y.yaml", 1), Message: "request a"}}, Flux: "kustomize build failed: no",
		},
		{Rule: conflict, Place: at("Work default/b", "x.yaml", 9), Message: "ConfigMap default/y is there already"},
		{Rule: finding.StoreFailed(), Place: at("GitStateStore default", "", 0), Message: "read: no", Fix: "Start it."},
		{Rule: finding.UnreadableInput(), Place: at("", "in/a.yaml", 0), Message: "it is empty"},
	}
	const want = `error KS001 DuplicateObject: ConfigMap default/x is there already
  at    Work default/b, x.yaml:3
  with  Work default/a, y.yaml:1 (request a)
  Flux  kustomize build failed: no
error KS001 DuplicateObject: ConfigMap default/y is there already
  at    Work default/b, x.yaml:9
  fix   Do this.
error KS060 StoreFailed: read: no
  at    GitStateStore default
  fix   Start it.
error KS020 UnreadableInput: it is empty
  at    in/a.yaml
  fix   Correct the YAML at the line that the message names.
`
	var got strings.Builder
	if err := Text(&got, findings); err != nil || got.String() != want {
		t.Errorf("error %v, got\n%s\nwant\n%s", err, got.String(), want)
	}
}

func TestPlacementAndChangeLines(t *testing.T) {
	r := Report{
		Placements: []Placement{
			{Work: "default/a", Directory: ".", Destination: "worker-1", State: Placed, Reason: "it fits"},
			{Work: "default/a", Directory: "gateway", State: Unplaced, Reason: "nothing fits"},
		},
		Stores: []Store{{Name: "GitStateStore default", Destinations: []Destination{{
			Name: "worker-1", Added: []tree.Path{testkit.Path("w/a")}, Changed: []tree.Path{testkit.Path("w/b")}, Removed: []tree.Path{testkit.Path("w/c")},
		}}}},
	}
	const want = `placed         default/a            on worker-1: it fits
not placed     default/a [gateway]  nothing fits
worker-1 (GitStateStore default)
  add     w/a
  change  w/b
  remove  w/c
`
	var got strings.Builder
	if err := errors.Join(r.PlacementLines(&got), r.ChangeLines(&got)); err != nil || got.String() != want {
		t.Errorf("error %v, got\n%s\nwant\n%s", err, got.String(), want)
	}
}

func TestSummary(t *testing.T) {
	found := func(rules ...finding.Rule) (all []finding.Finding) {
		for _, rule := range rules {
			all = append(all, finding.Finding{Rule: rule})
		}
		return all
	}
	placed := []Placement{{State: Placed}, {State: HeldBack}, {State: Placed}}
	for want, r := range map[string]Report{
		"no placements; no findings":         {},
		"2 placed, 1 held back; no findings": {Placements: placed, Findings: found(finding.IgnoredObject())},
		"no placements; 1 error":             {Findings: found(finding.StoreFailed())},
		"no placements; 2 errors, 1 warning": {Findings: found(finding.StoreFailed(), finding.StoreFailed(), finding.Misplaced())},
	} {
		if got := r.Summary(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWriteThatFailsIsAnError(t *testing.T) {
	r := Report{Placements: []Placement{{}}, Stores: []Store{{Destinations: []Destination{{}}}}}
	for name, err := range map[string]error{
		"findings":   Text(broken{}, []finding.Finding{{}}),
		"placements": r.PlacementLines(broken{}),
		"changes":    r.ChangeLines(broken{}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestNamesCannotGiveCommands(t *testing.T) {
	const evil = "x\r\n::error::no\t\x1b[31m"
	at := finding.Place{Object: "Work default/" + evil, File: evil, Line: 1}
	document := Document{Done: Checked, Report: Report{
		Findings: []finding.Finding{{
			Rule: finding.DuplicateObject(), Message: evil, Place: at, Flux: evil, Fix: evil, Related: []finding.Related{{Place: at, Message: evil}},
		}},
		Placements: []Placement{{Work: evil, Directory: evil, Destination: evil, State: HeldBack, Reason: evil}},
	}}
	for _, format := range []string{"text", "tap", "github"} {
		f, _ := FormatNamed(format)
		var out strings.Builder
		if err := f.Write(&out, document); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(strings.TrimSpace(line), "::error::no") || strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x1b\r") {
				t.Errorf("%s: %q", format, line)
			}
		}
	}
}
