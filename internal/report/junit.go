package report

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

// These types are elements of JUnit XML that GitLab and Jenkins read.
type (
	testCase struct {
		XMLName   xml.Name `xml:"testcase"`
		Class     string   `xml:"classname,attr"`
		Name      string   `xml:"name,attr"`
		File      string   `xml:"file,attr,omitempty"`
		Failure   *failure `xml:"failure"`
		SystemOut string   `xml:"system-out,omitempty"`
	}
	failure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a document as a suite of test cases: one for each finding, and one for each
// placement without a problem. A finding that makes the command fail is a failure.
func JUnit(w io.Writer, d Document) error {
	out := bufio.NewWriter(w)
	failures := 0
	for _, f := range d.Findings {
		if d.fails(f) {
			failures++
		}
	}
	sound := d.healthy()
	tests := len(d.Findings) + len(sound)
	printf(out, "%s", xml.Header)
	printf(out, "<testsuites name=%q tests=\"%d\" failures=\"%d\" errors=\"0\">\n", toolName, tests, failures)
	printf(out, "<testsuite name=%q tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"0\">\n", toolName, tests, failures)
	cases := caseWriter{out: out, encoder: xml.NewEncoder(out), names: map[[2]string]int{}}
	for _, f := range d.Findings {
		if err := cases.write(d.testCase(f)); err != nil {
			return err
		}
	}
	for _, p := range sound {
		if err := cases.write(testCase{Class: "placement", Name: printable.Line(p.label())}); err != nil {
			return err
		}
	}
	printf(out, "</testsuite>\n</testsuites>\n")
	return out.Flush()
}

// caseWriter writes test cases with unique names, because GitLab shows one test case per name.
type caseWriter struct {
	out     *bufio.Writer
	encoder *xml.Encoder
	names   map[[2]string]int
}

func (w caseWriter) write(c testCase) error {
	key := [2]string{c.Class, c.Name}
	w.names[key]++
	if n := w.names[key]; n > 1 {
		c.Name = fmt.Sprintf("%s (%d)", c.Name, n)
	}
	if err := w.encoder.Encode(c); err != nil {
		return err
	}
	return w.out.WriteByte('\n')
}

func (d Document) testCase(f finding.Finding) testCase {
	c := testCase{
		Class: f.Rule.ID + " " + f.Rule.Name, Name: printable.Line(headline(f)), File: printable.Line(d.position(f.Place).File),
	}
	text := d.detail(f)
	if d.fails(f) {
		c.Failure = &failure{Message: printable.Line(f.Message), Type: f.Rule.ID, Text: text}
	} else {
		c.SystemOut = text
	}
	return c
}

func (d Document) healthy() []Placement {
	var sound []Placement
	for _, p := range d.Placements {
		if !p.hasProblem() {
			sound = append(sound, p)
		}
	}
	return sound
}

func (p Placement) label() string {
	if p.Destination == "" {
		return p.name()
	}
	return fmt.Sprintf("%s on %s", p.name(), p.Destination)
}

func (d Document) detail(f finding.Finding) string {
	var text strings.Builder
	out := bufio.NewWriter(&text)
	Document{Report: Report{Findings: []finding.Finding{f}}, Locate: d.Locate}.findings(out)
	_ = out.Flush() // a Builder returns no error
	return strings.TrimSuffix(text.String(), "\n")
}
