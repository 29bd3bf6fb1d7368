package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

// maxComment is the maximum length of a Markdown document, in characters. GitHub's limit is 65,536.
const maxComment = 65_000

// Markdown writes a document as a comment on a pull request. The next run finds the comment by its
// first line. Text from the input is in code spans and code blocks, so that it cannot become a
// link, a mention or HTML.
func Markdown(w io.Writer, d Document) error {
	c := comment{left: maxComment}
	c.add(fmt.Sprintf("<!-- kratix-schedule %s -->\n", d.Done))
	c.add("### kratix-schedule: " + d.totals() + d.leftOut() + "\n")
	var failing, others []finding.Finding
	for _, f := range d.Findings {
		if d.fails(f) {
			failing = append(failing, f)
		} else {
			others = append(others, f)
		}
	}
	c.list("", failing, d.markdown)
	c.list("Warnings and notes", others, d.markdown)
	if d.Done == Planned {
		c.block("Placements", "", d.textOf(func(d Document, out *bufio.Writer) { d.placementLines(out, d.Placements) }))
		c.block("Changes", "diff", d.textOf(Document.diffs))
	}
	_, err := io.WriteString(w, c.text.String())
	return err
}

type comment struct {
	text strings.Builder
	left int
}

// add adds a text, and reports whether there was room for it.
func (c *comment) add(text string) bool {
	n := len([]rune(text))
	if n > c.left {
		return false
	}
	c.left -= n
	c.text.WriteString(text)
	return true
}

// reserved is the number of characters that are kept for the end of a list or block.
const reserved = 200

// list adds a list of findings, folded if it has a title. The findings of a rule that follow
// each other with the same fix show it once.
func (c *comment) list(title string, findings []finding.Finding, item func(f finding.Finding, fix string) string) {
	if len(findings) == 0 || !c.open(title, len(findings)) {
		return
	}
	c.left -= reserved
	added := 0
	for i, f := range findings {
		fix := f.Advice()
		if i > 0 && findings[i-1].Rule == f.Rule && findings[i-1].Advice() == fix {
			fix = ""
		}
		if !c.add(item(f, fix)) {
			break
		}
		added++
	}
	c.left += reserved
	if more := len(findings) - added; more > 0 {
		c.add(fmt.Sprintf("\n%d more do not fit into a comment; see the output of the job.\n", more))
	}
	c.end(title)
}

func (c *comment) block(title, language, text string) {
	lines := strings.SplitAfter(text, "\n")
	if text == "" || !c.open(title, len(lines)-1) {
		return
	}
	fence := fenceFor(text)
	c.left -= reserved + len(fence)
	c.add("\n" + fence + language + "\n")
	added := 0
	for _, line := range lines {
		if !c.add(line) {
			break
		}
		added++
	}
	c.left += reserved + len(fence)
	c.add(fence + "\n")
	if more := len(lines) - added; more > 0 {
		c.add(fmt.Sprintf("\n%d more lines do not fit into a comment; see the output of the job.\n", more))
	}
	c.end(title)
}

// open begins a part, folded if it has a title, and reports whether there is room for it.
func (c *comment) open(title string, count int) bool {
	if c.left < 2*reserved {
		return false
	}
	if title == "" {
		return c.add("\n")
	}
	return c.add(fmt.Sprintf("\n<details><summary>%s (%d)</summary>\n\n", title, count))
}

func (c *comment) end(title string) {
	if title != "" {
		c.add("\n</details>\n")
	}
}

func (d Document) markdown(f finding.Finding, fix string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "* **%s** %s %s: %s\n", f.Rule.Severity, f.Rule.ID, f.Rule.Name, code(f.Message))
	line := func(label, value string) {
		if value != "" {
			fmt.Fprintf(&text, "  <br>%s %s\n", label, code(value))
		}
	}
	line("at", f.Place.String()+d.onDisk(f.Place))
	for _, related := range f.Related {
		line("with", fmt.Sprintf("%s (%s)%s", related.Place, related.Message, d.onDisk(related.Place)))
	}
	line("Flux would say", f.Flux)
	line("fix:", fix)
	return text.String()
}

func (d Document) textOf(write func(Document, *bufio.Writer)) string {
	var text strings.Builder
	d.Paint = nil
	out := bufio.NewWriter(&text)
	write(d, out)
	_ = out.Flush() // a Builder returns no error
	return text.String()
}

func code(text string) string {
	text = printable.Line(text)
	fence := strings.Repeat("`", longestRun(text)+1)
	return fence + " " + text + " " + fence
}

func fenceFor(text string) string { return strings.Repeat("`", max(longestRun(text)+1, len("```"))) }

func longestRun(text string) int {
	longest, run := 0, 0
	for _, r := range text {
		if run++; r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}
