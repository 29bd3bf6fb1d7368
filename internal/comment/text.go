package comment

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Text is a text to post.
type Text struct {
	// Marker is the first line, by which the comment is found again.
	Marker string
	// Run is the run that posts the text.
	Run Run
	// Rest is everything after the first line.
	Rest string
}

var markerLine = regexp.MustCompile(`^<!-- kratix-schedule (checked|planned|written|probed) -->$`)

// validName matches a name that cannot end the HTML comment around it.
var validName = regexp.MustCompile(`^[A-Za-z0-9_.]+(-[A-Za-z0-9_.]+)*$`)

const maxName = 63

// MaxReport is the maximum size of a report in Markdown, in bytes.
const MaxReport = 4 * 65_000

// NewText returns the text to post for a report in Markdown. The name distinguishes comments on one
// pull request, and may be empty.
func NewText(report, name string, run Run) (Text, error) {
	first, rest, _ := strings.Cut(report, "\n")
	if !markerLine.MatchString(first) || len(report) > MaxReport {
		return Text{}, errors.New("it is not a report of -o markdown")
	}
	if name != "" {
		if !validName.MatchString(name) || len(name) > maxName {
			return Text{}, fmt.Errorf("a name of a comment has at most %d letters, digits, dots, underscores and single dashes", maxName)
		}
		first = strings.TrimSuffix(first, "-->") + name + " -->"
	}
	return Text{Marker: first, Run: run, Rest: rest}, nil
}

// Body returns the text of the comment.
func (t Text) Body() string { return t.Marker + "\n" + t.Run.line() + t.Rest }

func has(body, marker string) bool {
	first, _, _ := strings.Cut(body, "\n")
	return strings.TrimRight(first, "\r") == marker
}

// isSame reports whether two texts differ at most in line ends and surrounding blanks, which
// servers change.
func isSame(a, b string) bool {
	return strings.TrimSpace(strings.ReplaceAll(a, "\r\n", "\n")) == strings.TrimSpace(strings.ReplaceAll(b, "\r\n", "\n"))
}
