package policy

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// Comment is an ignore comment beside a document:
//
//	# kratix-schedule:ignore KS001,KS002 the operator is shared on purpose
type Comment struct {
	Rule, Reason string
	// Place is the place of the comment itself.
	Place finding.Place
	// First and Last are the first and last line of the document that the comment is about.
	First, Last int
	// Objects are the objects in the document if it is part of the input. The comment applies to
	// all findings about them.
	Objects []string
}

// mark is the beginning of an ignore comment.
const mark = "kratix-schedule:ignore"

// Comments returns the ignore comments in a file of YAML documents. object is the name of the Work
// that contains the file. It is empty for an input file.
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

// comment matches an ignore comment, at the beginning of a line or after white space. The rules are
// separated by commas and followed by the reason.
var comment = regexp.MustCompile(`(?:^|\s)#\s*` + mark + `(?:\s+(\w+(?:\s*,\s*\w+)*)?(.*))?$`)

// parseComment returns the rules in an ignore comment, and the reason. For a comment without a rule
// it returns an empty rule, which is then reported.
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

// matches reports whether a finding has the rule of the comment, and its place or a related place
// is in the document of the comment.
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
