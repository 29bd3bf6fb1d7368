package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

var update = flag.Bool("update", false, "write golden files again")

const nasty = "a \"b\" <c> & 'd' # e, f: 100% \x01\nnext ünï \xff ::error::"

func plainly(rule finding.Rule) finding.Rule {
	rule.Fix = "Mend it."
	return rule
}

func sample(t *testing.T) Document {
	t.Helper()
	conflict := finding.Finding{
		Rule: plainly(finding.DuplicateObject()), Place: at("Work default/b", "x.yaml", 3), Message: "ConfigMap default/x is there already",
		Related: []finding.Related{{Place: at("Work default/a", "y.yaml", 1), Message: "request a"}}, Flux: "kustomize build failed: no",
	}
	findings := []finding.Finding{
		conflict,
		{Rule: plainly(finding.UnreadableInput()), Place: at("", "in/a b.yaml", 7), Message: nasty},
		{Rule: plainly(finding.Misplaced()), Place: at("Work default/c", "", 0), Message: "on worker-2"},
		{Rule: plainly(finding.UnusedIgnore()), Message: "--ignore KS001 matches nothing"},
	}
	return Document{
		Report: Report{
			Findings: findings,
			Placements: []Placement{
				{Work: "default/a", Directory: ".", Destination: "worker-1", State: Placed, Reason: "it fits"},
				{Work: "default/b", Directory: ".", Destination: "worker-1", State: HeldBack, Reason: "it conflicts"},
				{Work: "default/c", Directory: "gateway", Destination: "worker-2", State: Unchanged, Reason: "misplaced"},
				{Work: "default/d", Directory: ".", State: Unplaced, Reason: "nothing fits"},
			},
			Stores: []Store{{Name: "GitStateStore default", Destinations: []Destination{{Name: "worker-1", Added: []tree.Path{testkit.Path("w/a")}}}}},
		},
		Done: Checked, Version: "v1", Tally: Count(findings), Ignored: 2,
		Locate: func(p finding.Place) Position {
			switch p.Object {
			case "Work default/b":
				return Position{File: "build/output/" + p.File, Line: p.Line, Exact: true}
			case "":
				return Position{File: p.File, Line: p.Line, Exact: true}
			}
			return Position{File: "in/works.yaml", Line: 12}
		},
	}
}

func written(t *testing.T, format Format, d Document) string {
	t.Helper()
	var out bytes.Buffer
	if err := format.Write(&out, d); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// ruleTable matches the table of rules in SARIF, which golden files do not contain.
var ruleTable = regexp.MustCompile(`,"rules":\[.*\]|,"ruleIndex":\d+`)

func TestFormats(t *testing.T) {
	for _, format := range Formats() {
		t.Run(format.Name, func(t *testing.T) {
			got := ruleTable.ReplaceAllString(written(t, format, sample(t)), "")
			golden := "testdata/sample." + format.Name
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
			if again := ruleTable.ReplaceAllString(written(t, format, sample(t)), ""); again != got {
				t.Error("the same document gives other bytes")
			}
		})
	}
}

func TestFormatsOfNothing(t *testing.T) {
	for _, format := range Formats() {
		if got := written(t, format, Document{Done: Checked}); format.Name != "github" && got == "" {
			t.Errorf("%s writes nothing", format.Name)
		}
	}
}

func TestFormatsReportAFailedWrite(t *testing.T) {
	for _, format := range Formats() {
		if err := format.Write(broken{}, sample(t)); err == nil {
			t.Errorf("%s: no error", format.Name)
		}
	}
}

func TestFormatsStream(t *testing.T) {
	testkit.Slow(t)
	d := sample(t)
	for range 12 {
		d.Findings = append(d.Findings, d.Findings...)
	}
	for _, format := range Formats() {
		if format.Name == "markdown" {
			continue // the length of a comment is limited
		}
		counting := &largest{}
		if err := format.Write(counting, d); err != nil {
			t.Fatal(err)
		}
		if counting.total < 1<<20 || counting.most > counting.total/10 {
			t.Errorf("%s: %d bytes, as many as %d of them at once", format.Name, counting.total, counting.most)
		}
	}
}

type largest struct{ most, total int }

func (l *largest) Write(p []byte) (int, error) {
	l.most, l.total = max(l.most, len(p)), l.total+len(p)
	return len(p), nil
}

func compiled(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSARIFIsValid(t *testing.T) {
	schema := compiled(t, "testdata/sarif-schema-2.1.0.json")
	for name, d := range map[string]Document{"sample": sample(t), "nothing": {}} {
		var log any
		text := written(t, Format{Write: SARIF}, d)
		if err := json.Unmarshal([]byte(text), &log); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(log); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := schema.Validate(strings.Replace(text, "2.1.0", "2.0.0", 1)); err == nil {
			t.Error("the schema takes everything")
		}
	}
}

func TestSARIFResultsHaveFiles(t *testing.T) {
	d := Document{
		Report: Report{Findings: []finding.Finding{
			{Rule: finding.UnusedIgnore(), Message: "--ignore KS001 matches nothing"},
			{
				Rule: finding.DuplicateObject(), Place: at("GitStateStore default", "worker-1/x.yaml", 3),
				Related: []finding.Related{{Place: at("Work default/a", "", 0)}},
			},
		}},
		Locate: func(finding.Place) Position { return Position{} },
	}
	var log struct {
		Runs []struct {
			Results []sarifResult `json:"results"`
		} `json:"runs"`
	}
	if err := json.Unmarshal([]byte(written(t, Format{Write: SARIF}, d)), &log); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, result := range log.Runs[0].Results {
		for _, location := range append(result.Locations, result.Related...) {
			got = append(got, location.Physical.Artifact.URI)
		}
	}
	if want := []string{".kratix-schedule.yaml", "worker-1/x.yaml", ".kratix-schedule.yaml"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestSARIFNamesBothSides(t *testing.T) {
	var log struct {
		Runs []struct {
			Results []sarifResult `json:"results"`
		} `json:"runs"`
	}
	if err := json.Unmarshal([]byte(written(t, Format{Write: SARIF}, sample(t))), &log); err != nil {
		t.Fatal(err)
	}
	conflict := log.Runs[0].Results[0]
	if got := conflict.Locations[0].Physical; got.Artifact.URI != "build/output/x.yaml" || got.Region.StartLine != 3 {
		t.Errorf("at %+v", got)
	}
	if len(conflict.Related) != 1 || conflict.Related[0].Physical.Artifact.URI != "in/works.yaml" || conflict.Related[0].Physical.Region.StartLine != 12 {
		t.Errorf("with %+v", conflict.Related)
	}
	if escaped := log.Runs[0].Results[1].Locations[0].Physical.Artifact.URI; escaped != "in/a%20b.yaml" {
		t.Errorf("uri %q", escaped)
	}
}

func TestJUnitIsWellFormedAndCounts(t *testing.T) {
	var suites struct {
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Tests    int        `xml:"tests,attr"`
			Failures int        `xml:"failures,attr"`
			Cases    []testCase `xml:"testcase"`
		} `xml:"testsuite"`
	}
	d := sample(t)
	for severity, want := range map[finding.Severity]int{finding.Error: 2, finding.Warning: 3, finding.Error + 1: 0} {
		d.Fails = severity
		if err := xml.Unmarshal([]byte(written(t, Format{Write: JUnit}, d)), &suites); err != nil {
			t.Fatal(err)
		}
		suite := suites.Suites[len(suites.Suites)-1]
		failed := 0
		for _, c := range suite.Cases {
			if c.Failure != nil {
				failed++
			}
		}
		if failed != want || suite.Failures != want || suites.Failures != want || suite.Tests != len(suite.Cases) {
			t.Errorf("fails on %s: %d failures in %+v", severity, failed, suite)
		}
		suites.Suites = nil
	}
}

func TestJSONAndYAMLHaveEqualContent(t *testing.T) {
	var fromJSON, fromYAML any
	if err := json.Unmarshal([]byte(written(t, Format{Write: JSON}, sample(t))), &fromJSON); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(written(t, Format{Write: YAML}, sample(t))), &fromYAML); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromJSON, fromYAML) {
		t.Error(cmp.Diff(fromJSON, fromYAML))
	}
}

func TestAnnotationsStayOnALine(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(written(t, Format{Write: GitHub}, sample(t))), "\n")
	if len(lines) != len(sample(t).Findings) {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, "::error ") && !strings.HasPrefix(line, "::warning ") && !strings.HasPrefix(line, "::notice ") {
			t.Errorf("no command: %s", line)
		}
	}
}

func TestTextIsColouredOnDemandOnly(t *testing.T) {
	d := sample(t)
	plain := written(t, Format{Write: Plain}, d)
	d.Paint = Terminal
	coloured := written(t, Format{Write: Plain}, d)
	if strings.Contains(plain, "\x1b[") || !strings.Contains(coloured, "\x1b[31merror\x1b[0m") {
		t.Errorf("plain %q\ncoloured %q", plain, coloured)
	}
}

func TestHTMLNeedsNothingElse(t *testing.T) {
	got := written(t, Format{Write: HTML}, sample(t))
	for _, outside := range []string{"src=", "url(", "@import", "<link", "http:", "https:", "fetch(", "import("} {
		if strings.Contains(strings.ReplaceAll(got, "http://www.w3.org/2000/svg", ""), outside) {
			t.Errorf("it has %s", outside)
		}
	}
	if all, inside := strings.Count(got, "href="), strings.Count(got, `href="#`); all != inside || all == 0 {
		t.Errorf("%d of %d links lead out of it", all-inside, all)
	}
	if scripts := strings.Count(got, "<script"); scripts != 1 {
		t.Errorf("it has %d scripts", scripts)
	}
	for _, link := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(got, -1) {
		if strings.Count(got, ` id="`+link[1]+`"`) != 1 {
			t.Errorf("the link to %s leads nowhere", link[1])
		}
	}
	for _, wanted := range []string{"<svg", "1 conflict<", "&lt;c&gt;", "default/d"} {
		if !strings.Contains(got, wanted) {
			t.Errorf("it lacks %s", wanted)
		}
	}
}

func TestPictureIsLimited(t *testing.T) {
	var d Document
	for i := range 1000 {
		work := "default/w" + strings.Repeat("x", i)
		d.Placements = append(d.Placements, Placement{Work: work, Destination: "worker-1", State: Placed})
	}
	if p := draw(d); len(p.Rows) != 0 || p.Left != 0 {
		t.Errorf("without a conflict there are %d rows, %d left", len(p.Rows), p.Left)
	}
	for _, placement := range d.Placements[1:] {
		d.Findings = append(d.Findings, finding.Finding{
			Rule: finding.DuplicateObject(), Place: at("Work "+placement.Work, "", 0), Related: []finding.Related{{Place: at("Work "+d.Placements[0].Work, "", 0)}},
		})
	}
	d.Placements[0].State = HeldBack
	d.Placements = append(d.Placements, Placement{Work: "default/other", Destination: "worker-2", State: Placed})
	p := draw(d)
	if len(p.Rows) != maxRows || p.Left != 1000-maxRows || !p.Rows[0].Bad || len(p.Columns) != 1 {
		t.Errorf("%d rows, %d left, %d columns, first %+v", len(p.Rows), p.Left, len(p.Columns), p.Rows[0])
	}
}

func TestFindingsComeFirst(t *testing.T) {
	d := sample(t)
	again := d.Findings[0]
	again.Place.Line++
	d.Findings = append([]finding.Finding{again}, d.Findings...)
	for i := range 1000 {
		d.Placements = append(d.Placements, Placement{Work: fmt.Sprintf("other/w%d", i), Destination: "worker-1", State: Unchanged})
	}
	got := written(t, Format{Write: HTML}, d)
	body := got[strings.Index(got, "<body>"):]
	first, picture, table := strings.Index(body, "ConfigMap default/x is there already"), strings.Index(body, "<svg"), strings.Index(body, `id="placements"`)
	if first < 0 || first > 3000 || first > picture || picture > table {
		t.Errorf("the first finding is at %d, the picture at %d, the placements at %d", first, picture, table)
	}
	if strings.Contains(body[picture:table], "other/w") {
		t.Error("the picture has a Work without a conflict")
	}
	group := body[strings.Index(body, "<article"):strings.Index(body, "</article>")]
	if fixes := strings.Count(group, "Mend it."); fixes != 1 {
		t.Errorf("what to do is there %d times", fixes)
	}
}

func TestDiff(t *testing.T) {
	d := Document{Done: Planned, Diffs: []FileDiff{
		{Path: "new.yaml", New: []byte("a\nb\n")},
		{Path: "changed.yaml", Old: []byte("a\nb\nc\n"), New: []byte("a\nB\nc\n")},
		{Path: "gone.yaml", Old: []byte("a\n")},
		{Path: "binary", Old: []byte("a\x00"), New: []byte("b\x00")},
		{Path: "empty", New: []byte{}},
	}}
	const want = `diff --git a/new.yaml b/new.yaml
new file mode 100644
--- /dev/null
+++ b/new.yaml
@@ -0,0 +1,2 @@
+a
+b
diff --git a/changed.yaml b/changed.yaml
--- a/changed.yaml
+++ b/changed.yaml
@@ -1,3 +1,3 @@
 a
-b
+B
 c
diff --git a/gone.yaml b/gone.yaml
deleted file mode 100644
--- a/gone.yaml
+++ /dev/null
@@ -1,1 +0,0 @@
-a
diff --git a/binary b/binary
Binary files a/binary and b/binary differ
diff --git a/empty b/empty
new file mode 100644
planned: no placements; no findings
`
	if diff := cmp.Diff(want, written(t, Format{Write: Plain}, d)); diff != "" {
		t.Error(diff)
	}
	d.Stat = true
	const stat = ` new.yaml     |    2 ++
 changed.yaml |    2 +-
 gone.yaml    |    1 -
 binary       |    0 
 empty        |    0 
 5 files changed, 3 lines added, 2 removed
planned: no placements; no findings
`
	if diff := cmp.Diff(stat, written(t, Format{Write: Plain}, d)); diff != "" {
		t.Error(diff)
	}
}

var _ io.Writer = (*largest)(nil)
