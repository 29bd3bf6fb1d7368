package policy

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// Comment is an ignore beside a document:
//
//	# kratix-schedule:ignore KS001,KS002 the operator is shared on purpose
type Comment struct {
	Rule, Reason string
	// Place is the comment's own.
	Place finding.Place
	// First and Last are the lines of the document that it is beside.
	First, Last int
	// Objects are what the document describes, where it is one of the input: the
	// comment then holds for everything about them.
	Objects []string
}

// mark is what such a comment starts with.
const mark = "kratix-schedule:ignore"

// Comments finds the ignores in a file of documents. Object is the Work the
// file is in, or empty for a file of the input.
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

// comment is a YAML comment that ignores something: at the start of a line, or
// after white space. Rules are separated by commas; what follows is the reason.
var comment = regexp.MustCompile(`(?:^|\s)#\s*` + mark + `(?:\s+(\w+(?:\s*,\s*\w+)*)?(.*))?$`)

// parseComment returns the rules that a line ignores, and why. A comment that
// names none returns one without a name, so that it is reported.
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

// matches reports whether a finding is about the comment's document, on either
// side of a clash.
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
