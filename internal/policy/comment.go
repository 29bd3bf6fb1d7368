package policy

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// Comment is an ignore comment in a YAML file for one rule, such as
//
//	# kratix-schedule:ignore KS001 the operator is shared on purpose
type Comment struct {
	Rule, Reason string
	// Place is the place of the comment itself.
	Place finding.Place
	// First and Last are the first and the last line of the document with the comment.
	First, Last int
	// Objects are the objects in the document of an input file. The comment applies to all findings
	// about them.
	Objects []string
}

const mark = "kratix-schedule:ignore"

// Comments returns the ignore comments in a file of YAML documents. object is the Work that
// contains the file, or empty for an input file.
func Comments(object, file string, content []byte) []Comment {
	if !bytes.Contains(content, []byte(mark)) {
		return nil
	}
	var comments []Comment
	open, first, number, holds := 0, 1, 0, false
	finish := func(last int) {
		for i := open; i < len(comments); i++ {
			comments[i].First, comments[i].Last = first, last
		}
		open, first, holds = len(comments), last+1, false
	}
	for line := range bytes.Lines(content) {
		number++
		text := strings.TrimSpace(string(line))
		if bytes.HasPrefix(line, []byte("---")) && holds {
			finish(number - 1)
		}
		if text != "" && text[0] != '#' && !strings.HasPrefix(text, "---") {
			holds = true
		}
		rules, reason := parseComment(text)
		for _, rule := range rules {
			comments = append(comments, Comment{
				Rule: rule, Reason: reason, Place: finding.Place{Object: object, File: file, Line: number},
			})
		}
	}
	finish(number)
	return comments
}

// comment matches an ignore comment that begins a line or follows white space.
var comment = regexp.MustCompile(`(?:^|\s)#\s*` + mark + `(?:\s+(\w+(?:\s*,\s*\w+)*)?(.*))?$`)

// parseComment returns the rules and the reason in an ignore comment. For a comment without a rule,
// it returns the empty rule.
func parseComment(line string) (rules []string, reason string) {
	found := comment.FindStringSubmatch(line)
	if found == nil {
		return nil, ""
	}
	for rule := range strings.SplitSeq(found[1], ",") {
		rules = append(rules, strings.TrimSpace(rule))
	}
	return rules, strings.TrimSpace(found[2])
}

// matches reports whether the comment applies to a finding.
func (c Comment) matches(f finding.Finding) bool {
	if f.Rule.ID != c.Rule {
		return false
	}
	if c.covers(f.Place) {
		return true
	}
	for _, related := range f.Related {
		if c.covers(related.Place) {
			return true
		}
	}
	return false
}

func (c Comment) covers(p finding.Place) bool {
	for _, object := range c.Objects {
		if p.Object == object {
			return true
		}
	}
	if p.File != c.Place.File || (c.Place.Object != "" && p.Object != c.Place.Object) {
		return false
	}
	return p.Line == 0 || (c.First <= p.Line && p.Line <= c.Last)
}
