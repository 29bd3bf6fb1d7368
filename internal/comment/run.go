package comment

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Run is the number of a CI run. A newer run has a higher number. 0 means that the number is
// unknown.
type Run int64

// runLine matches the second line of a comment.
var runLine = regexp.MustCompile(`^<!-- run ([0-9]{1,18}) -->$`)

// ParseRun returns the run in a variable of a CI system, or 0 if the text is not a valid number.
func ParseRun(text string) Run {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n >= 1e18 {
		return 0
	}
	return Run(n)
}

// line returns the line of a comment that names the run, or "" if the run is unknown.
func (r Run) line() string {
	if r == 0 {
		return ""
	}
	return fmt.Sprintf("<!-- run %d -->\n", r)
}

func runOf(body string) Run {
	_, rest, _ := strings.Cut(body, "\n")
	second, _, _ := strings.Cut(rest, "\n")
	found := runLine.FindStringSubmatch(strings.TrimRight(second, "\r"))
	if found == nil {
		return 0
	}
	return ParseRun(found[1])
}
