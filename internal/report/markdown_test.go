package report

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

var markup = []string{
	"@team", "#12", "!34", "<img src=x>", "[a](http://e.example.com)", "http://e.example.com", "a`b", "``", "`@team`", "```\n@team", "a\n\n# b", "| a |", "</details>", "-->", "\\`", "*a*",
}

func withoutCode(t *testing.T, text string) string {
	t.Helper()
	var kept strings.Builder
	fence := ""
	for line := range strings.Lines(text) {
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(ticks) >= 3:
			fence = ticks
		case fence != "":
			if strings.TrimSpace(line) == fence {
				fence = ""
			}
		default:
			kept.WriteString(line)
		}
	}
	rest := kept.String()
	for {
		start := strings.IndexByte(rest, '`')
		if start < 0 {
			break
		}
		ticks := regexp.MustCompile("^`+").FindString(rest[start:])
		end := regexp.MustCompile("[^`]" + ticks + "([^`]|$)").FindStringIndex(rest[start+len(ticks):])
		if end == nil {
			t.Fatalf("a code span does not end: %q", rest[start:])
		}
		rest = rest[:start] + rest[start+len(ticks)+end[0]+1+len(ticks):]
	}
	return rest
}

func TestMarkdownHasInputInCodeOnly(t *testing.T) {
	own := withoutCode(t, written(t, Format{Write: Markdown}, planned(hostile("x"))))
	for _, text := range append(markup, attacks...) {
		if strings.TrimSpace(text) == "" {
			continue
		}
		got := withoutCode(t, written(t, Format{Write: Markdown}, planned(hostile(text))))
		if counts := regexp.MustCompile(`\(\d+\)`); counts.ReplaceAllString(got, "") != counts.ReplaceAllString(own, "") {
			t.Errorf("with %q there is, outside of code,\n%s\nwant\n%s", text, got, own)
		}
	}
}

func planned(d Document) Document {
	d.Done = Planned
	return d
}

func TestMarkdownShowsTheFixOfEqualFindingsOnce(t *testing.T) {
	d := Document{Done: Checked}
	for i := range 3 {
		d.Findings = append(d.Findings, numbered(finding.DuplicateObject(), i))
	}
	other := numbered(finding.UnreadableInput(), 3)
	other.Fix = d.Findings[0].Advice()
	d.Findings = append(d.Findings, other)
	got := written(t, Format{Write: Markdown}, d)
	if fixes, findings := strings.Count(got, "fix: "), strings.Count(got, "\n* "); fixes != 2 || findings != 4 {
		t.Errorf("%d fixes for %d findings of 2 rules:\n%s", fixes, findings, got)
	}
}

func TestMarkdownFitsIntoAComment(t *testing.T) {
	for name, many := range map[string]func(*Document, int){
		"errors":   func(d *Document, i int) { d.Findings = append(d.Findings, numbered(finding.DuplicateObject(), i)) },
		"warnings": func(d *Document, i int) { d.Findings = append(d.Findings, numbered(finding.Misplaced(), i)) },
		"placements": func(d *Document, i int) {
			d.Placements = append(d.Placements, Placement{Work: fmt.Sprint("default/", i), State: Placed})
		},
		"changes": func(d *Document, i int) {
			d.Diffs = append(d.Diffs, FileDiff{Path: fmt.Sprint("ü", i), New: []byte("a: b\n")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := planned(sample(t))
			for i := range 5000 {
				many(&d, i)
			}
			got := written(t, Format{Write: Markdown}, d)
			if n := utf8.RuneCountInString(got); n > maxComment || n < maxComment-1000 {
				t.Errorf("%d characters", n)
			}
			if !strings.Contains(got, " do not fit into a comment; see the output of the job.") {
				t.Error("it does not say that something is left out")
			}
			if open, closed := strings.Count(got, "<details>"), strings.Count(got, "</details>"); open != closed {
				t.Errorf("%d parts begin, %d end", open, closed)
			}
			withoutCode(t, got)
		})
	}
}

func numbered(rule finding.Rule, i int) finding.Finding {
	return finding.Finding{Rule: rule, Place: at("Work default/a", "x.yaml", i), Message: fmt.Sprint("number ", i)}
}
