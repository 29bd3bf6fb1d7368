package report

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func hostile(text string) Document {
	place := finding.Place{Object: text, File: text, Line: 3}
	findings := []finding.Finding{
		{Rule: finding.DuplicateObject(), Place: place, Message: text, Flux: text, Related: []finding.Related{{Place: place, Message: text}}},
		{Rule: finding.Misplaced(), Place: finding.Place{File: text}, Message: text, Fix: text},
	}
	path, err := tree.ParsePath(text)
	if err != nil {
		path = tree.Path{}
	}
	paths := []tree.Path{path}
	return Document{
		Report: Report{
			Findings: findings,
			Placements: []Placement{
				{Work: text, Directory: text, Destination: text, State: Placed, Reason: text, Object: &kratix.WorkPlacement{}},
				{Work: text, Directory: ".", State: HeldBack, Reason: text},
			},
			Deliveries: []Delivery{{Destination: text, Root: "", State: hostileState(text), Failing: []Claimant{{Work: text}}, Suspects: []Claimant{{Work: text}}}},
			Stores:     []Store{{Name: text, Revision: text, Destinations: []Destination{{Name: text, Added: paths, Changed: paths, Removed: paths}}}},
		},
		Done: Planned, Tally: Count(findings), Version: "v1",
		Locate: func(p finding.Place) Position { return Position{File: p.File + text, Line: 7} },
		Diffs: []FileDiff{
			{Path: text, New: []byte("a\n" + text + "\n")},
			{Path: text, Old: []byte(text + "\na\n"), New: []byte(text + "\nb\n")},
			{Path: text, Old: []byte(text)},
		},
	}
}

func hostileState(text string) agent.State {
	mark := agent.Mark{Revision: text}
	return agent.State{Applied: mark, Healthy: mark, Failure: &agent.Failure{Revision: text, Outcome: agent.ApplyFailed, Message: text}}
}

func outputs(t *testing.T, d Document) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, format := range Formats() {
		all[format.Name] = written(t, format, d)
	}
	stat := d
	stat.Stat = true
	all["text with --stat"] = written(t, Format{Write: Plain}, stat)
	for name, write := range map[string]func(io.Writer) error{
		"changes": d.ChangeLines, "placements": d.PlacementLines,
		"findings": func(w io.Writer) error { return Text(w, d.Findings) },
	} {
		all[name] = written(t, Format{Write: func(w io.Writer, _ Document) error { return write(w) }}, d)
	}
	return all
}

func checkHarmless(t *testing.T, name, got string) {
	t.Helper()
	if !utf8.ValidString(got) {
		t.Errorf("%s: not UTF-8: %q", name, got)
	}
	for _, r := range got {
		if !strconv.IsPrint(r) && r != '\n' && r != '\t' {
			t.Errorf("%s: %U in %q", name, r, got)
			break
		}
	}
	for _, command := range []string{"##[", "##vso[", "##teamcity["} {
		if strings.Contains(got, command) {
			t.Errorf("%s: %s in %q", name, command, got)
		}
	}
	own := 0
	for line := range strings.Lines(got) {
		switch {
		case !strings.HasPrefix(strings.TrimSpace(line), "::"):
		case name == "github" && (strings.HasPrefix(line, "::error ") || strings.HasPrefix(line, "::warning ")):
			own++
		default:
			t.Errorf("%s: a command of others: %q", name, line)
		}
	}
	if name == "github" && own != 2 {
		t.Errorf("%d annotations of 2 findings", own)
	}
}

func checkReadable(t *testing.T, all map[string]string) {
	t.Helper()
	var fromJSON, fromYAML, fromSARIF any
	if err := errors.Join(json.Unmarshal([]byte(all["json"]), &fromJSON), yaml.Unmarshal([]byte(all["yaml"]), &fromYAML), json.Unmarshal([]byte(all["sarif"]), &fromSARIF)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromJSON, fromYAML) {
		t.Errorf("JSON and YAML differ:\n%s\n%s", all["json"], all["yaml"])
	}
	decoder := xml.NewDecoder(strings.NewReader(all["junit"]))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("junit: %v in %q", err, all["junit"])
		}
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "script" {
			t.Errorf("junit: an element of others")
		}
	}
	others, has := strings.CutSuffix(strings.Replace(all["html"], "<script>\n"+script+"</script>", "", 1), "</html>\n")
	if !has || len(others) > len(all["html"])-len(script) || strings.Contains(strings.ToLower(others), "<script") || strings.Contains(others, "</script") {
		t.Errorf("html: a script in %s", all["html"])
	}
	if !strings.HasPrefix(all["tap"], "TAP version 14\n1..3\n") || strings.Count(all["tap"], "\n  ---\n") != 2 {
		t.Errorf("tap: %q", all["tap"])
	}
}

var attacks = []string{
	"a\n::error::b", "::set-output name=x::y", " \t::add-mask::x", "\u00a0::error::x", "a\r::error::x", "a\u2028::error::b",
	"\x1b[31mred\x1b[0m", "\x1b]8;;http://e.example.com\x07click", "\u009b31m", "\u0085::error::x", "\x00\x01\x7f",
	"\u202edetrevni\u202c", "\u2066x\u2069", "\u200e\u200f\u061c", "a\u200bb\u200cc\u200dd\ufeff",
	"</script><script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "]]>", "<!--", "{{.}}",
	"##[error]x", "a ##vso[task.setvariable variable=x]y", "##teamcity[buildStop]",
	"a\n---\nb", "a\n  ...\nok 1", "not ok 1 # SKIP x", "true", "Y", "off", "1:20", "12", "0x1f", "~", "null", "2001-01-01", "- a", "a: b", "'", `\`, `\n`,
	"\xff\xfe", "\U000e0041\U000e007f", "ünï 日本 🙂", "", " ",
}

func TestNoFormatContainsUnescapedInput(t *testing.T) {
	for _, text := range attacks {
		all := outputs(t, hostile(text))
		for name, got := range all {
			checkHarmless(t, name, got)
		}
		checkReadable(t, all)
	}
}

func TestFindingsOfRefusalsFightsAndRecordsAreEscaped(t *testing.T) {
	for _, rule := range []finding.Rule{finding.PlacementRefused(), finding.ControllersFight(), finding.BadRecord()} {
		t.Run(rule.ID, func(t *testing.T) {
			for _, text := range attacks {
				d := hostile(text)
				d.Findings = []finding.Finding{
					{Rule: rule, Place: finding.Place{Object: "Work default/a"}, Message: "GitStateStore default refuses its files on worker-1: " + text, Fix: text},
					{Rule: rule, Place: finding.Place{Object: "Destination worker-1", File: "worker-1/.kratix/" + text}, Message: text + " is undone"},
				}
				d.Tally = Count(d.Findings)
				all := outputs(t, d)
				for name, got := range all {
					checkHarmless(t, name, got)
				}
				checkReadable(t, all)
			}
		})
	}
}

func TestEscapedTextIsReadBackUnchanged(t *testing.T) {
	for _, text := range attacks {
		var read struct{ Findings []Problem }
		if err := yaml.Unmarshal([]byte(written(t, Format{Write: YAML}, hostile(text))), &read); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(text, "\ufffd"); utf8.ValidString(text) && read.Findings[0].Message != want {
			t.Errorf("got %q, want %q", read.Findings[0].Message, want)
		}
	}
}

func FuzzFormatsAreHarmless(f *testing.F) {
	for _, text := range attacks {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all := outputs(t, hostile(text))
		for name, got := range all {
			checkHarmless(t, name, got)
		}
		checkReadable(t, all)
	})
}
