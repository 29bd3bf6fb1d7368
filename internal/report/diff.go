package report

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

// FileDiff is a changed file of a store. Old is nil for a new file, and New is nil for a removed
// file.
type FileDiff struct {
	// Path is relative to the store.
	Path     string
	Old, New []byte
	// Withheld is the reason why the contents are not shown, or empty if they are.
	Withheld string
}

const absent = "/dev/null"

func (f FileDiff) lines() []string {
	from, to := "a/"+f.Path, "b/"+f.Path
	head := []string{"diff --git " + from + " " + to + "\n"}
	switch {
	case f.Old == nil:
		head, from = append(head, "new file mode 100644\n"), absent
	case f.New == nil:
		head, to = append(head, "deleted file mode 100644\n"), absent
	}
	if f.Withheld != "" {
		return append(head, "Contents not shown: "+f.Withheld+"\n")
	}
	shown, err := f.masked()
	if err != nil {
		return append(head, fmt.Sprintf("Contents not shown: %d bytes before, %d bytes after: %v\n", len(f.Old), len(f.New), err))
	}
	f = shown
	if isBinary(f.Old) || isBinary(f.New) {
		return append(head, "Binary files "+from+" and "+to+" differ\n")
	}
	body := diff.Diff(from, f.Old, to, f.New)
	if len(body) == 0 {
		return head
	}
	_, body, _ = bytes.Cut(body, []byte("\n")) // the first line is the library's own: "diff a b"
	return append(head, strings.SplitAfter(strings.TrimSuffix(string(body), "\n"), "\n")...)
}

func isBinary(content []byte) bool { return bytes.IndexByte(content, 0) >= 0 }

func (f FileDiff) stat() (added, removed int) {
	inside := false
	for _, line := range f.lines() {
		switch {
		case strings.HasPrefix(line, "@@"):
			inside = true
		case inside && line[:1] == "+":
			added++
		case inside && line[:1] == "-":
			removed++
		}
	}
	return added, removed
}

// Lines returns the diff in git's format, as lines without line endings. The values of Secrets are
// masked, and invisible characters are escaped.
func (f FileDiff) Lines() []string {
	lines := f.lines()
	for i, line := range lines {
		lines[i] = printable.Lines(strings.TrimSuffix(line, "\n"))
	}
	return lines
}

// Diffs writes the diffs of a document as text. It returns the error of w.
func Diffs(w io.Writer, d Document) error {
	out := bufio.NewWriter(w)
	d.diffs(out)
	return out.Flush()
}

func (d Document) diffs(out *bufio.Writer) {
	if d.Stat || d.Diffs == nil {
		d.stats(out)
		return
	}
	for _, file := range d.Diffs {
		inside := false
		for _, line := range file.Lines() {
			inside = inside || strings.HasPrefix(line, "@@")
			printf(out, "%s\n", d.paintDiff(line, inside))
		}
	}
}

func (d Document) paintDiff(line string, inside bool) string {
	switch {
	case strings.HasPrefix(line, "@@"):
		return d.paint(Blue, line)
	case !inside:
		return d.paint(Bold, line)
	case strings.HasPrefix(line, "+"):
		return d.paint(Green, line)
	case strings.HasPrefix(line, "-"):
		return d.paint(Red, line)
	}
	return line
}

func (d Document) stats(out *bufio.Writer) {
	width, added, removed := 0, 0, 0
	for _, file := range d.Diffs {
		width = max(width, len(printable.Line(file.Path)))
	}
	for _, file := range d.Diffs {
		plus, minus := file.stat()
		added, removed = added+plus, removed+minus
		bar := d.paint(Green, strings.Repeat("+", bars(plus))) + d.paint(Red, strings.Repeat("-", bars(minus)))
		printf(out, " %-*s | %4d %s\n", width, printable.Line(file.Path), plus+minus, bar)
	}
	if len(d.Diffs) > 0 {
		printf(out, " %s changed, %s added, %d removed\n", countOf(len(d.Diffs), "file"), countOf(added, "line"), removed)
	}
}

func countOf(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

func bars(lines int) int {
	const most = 30
	return min(lines, most)
}
