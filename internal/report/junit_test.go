package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// element is an element of the JUnit XML schema of Jenkins.
type element struct {
	required, optional, children []string
	counts                       []string
}

// grammar returns the elements of JUnit XML that GitLab and Jenkins accept.
func grammar() map[string]element {
	counts := []string{"tests", "failures", "errors", "skipped", "disabled"}
	return map[string]element{
		"": {children: []string{"testsuites"}},
		"testsuites": {optional: []string{"name", "time", "tests", "failures", "disabled", "errors"},
			children: []string{"testsuite"}, counts: counts},
		"testsuite": {required: []string{"name", "tests"},
			optional: []string{"failures", "errors", "time", "disabled", "skipped", "hostname", "id", "package"},
			children: []string{"properties", "testcase", "system-out", "system-err"}, counts: counts},
		"testcase": {required: []string{"name", "classname"}, optional: []string{"assertions", "time", "status", "file"},
			children: []string{"skipped", "error", "failure", "system-out", "system-err"}},
		"failure":    {optional: []string{"message", "type"}},
		"system-out": {},
	}
}

func checkJUnit(text string) error {
	decoder := xml.NewDecoder(strings.NewReader(text))
	open := []string{""}
	cases := map[string]bool{}
	for {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := checkElement(open[len(open)-1], token, cases); err != nil {
				return err
			}
			open = append(open, token.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

func checkElement(parent string, e xml.StartElement, cases map[string]bool) error {
	name := e.Name.Local
	rule, known := grammar()[name]
	if !known || !slices.Contains(grammar()[parent].children, name) {
		return fmt.Errorf("%s in %q", name, parent)
	}
	given := map[string]string{}
	for _, a := range e.Attr {
		given[a.Name.Local] = a.Value
		if !slices.Contains(rule.required, a.Name.Local) && !slices.Contains(rule.optional, a.Name.Local) {
			return fmt.Errorf("%s has an attribute %s", name, a.Name.Local)
		}
		if _, err := strconv.ParseUint(a.Value, 10, 32); err != nil && slices.Contains(rule.counts, a.Name.Local) {
			return fmt.Errorf("%s of %s is %q", a.Name.Local, name, a.Value)
		}
	}
	for _, wanted := range rule.required {
		if given[wanted] == "" {
			return fmt.Errorf("%s has no %s", name, wanted)
		}
	}
	if name == "testcase" {
		key := given["classname"] + "/" + given["name"]
		if cases[key] {
			return fmt.Errorf("two test cases are called %s, and GitLab shows one", key)
		}
		cases[key] = true
	}
	return nil
}

func TestJUnitIsValidForJenkinsAndGitLab(t *testing.T) {
	twice := sample(t)
	twice.Findings = append(twice.Findings, twice.Findings...)
	twice.Placements = append(twice.Placements, twice.Placements...)
	placeless := Document{Report: Report{Findings: []finding.Finding{{Rule: finding.StoreFailed(), Message: "it is gone"}}}}
	for name, d := range map[string]Document{"sample": sample(t), "twice": twice, "nothing": {}, "placeless": placeless} {
		if err := checkJUnit(written(t, Format{Write: JUnit}, d)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := written(t, Format{Write: JUnit}, sample(t))
	for _, edit := range [][2]string{
		{"classname=", "class="}, {"<failure ", "<broken "}, {"</failure>", "</broken>"}, {`tests="`, `tests="x`}, {"testsuites>", "suites>"},
		{`message=`, `timestamp="now" message=`}, {`<testsuite name="kratix-schedule"`, "<testsuite"},
	} {
		if err := checkJUnit(strings.Replace(good, edit[0], edit[1], 1)); err == nil {
			t.Errorf("%s in place of %s is accepted", edit[1], edit[0])
		}
	}
}
