package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Plain writes a document for people. Volume and Done determine the parts that it writes.
func Plain(w io.Writer, d Document) error {
	out := bufio.NewWriter(w)
	d.Findings = d.Volume.Shown(d.Findings)
	if d.Volume == Quiet {
		d.findings(out)
		return out.Flush()
	}
	if d.Done == Planned {
		d.placementLines(out, d.Placements)
		for i := range d.Rollouts {
			d.Rollouts[i].lines(out)
		}
		d.diffs(out)
	}
	d.findings(out)
	if d.Done == Checked {
		d.placementLines(out, d.WithProblems().Placements)
	}
	if d.Read != nil {
		printf(out, "%s\n", d.Read)
	}
	if line := d.ProfileLine(); line != "" {
		printf(out, "%s\n", printable.Line(line))
	}
	printf(out, "%s: %s%s\n", d.Done, d.totals(), d.leftOut())
	return out.Flush()
}

// Text writes findings for people. It returns the error of w.
func Text(w io.Writer, findings []finding.Finding) error {
	out := bufio.NewWriter(w)
	Document{Report: Report{Findings: findings}}.findings(out)
	return out.Flush()
}

func (d Document) findings(out *bufio.Writer) {
	for i, f := range d.Findings {
		severity := d.paint(colourOf(f.Rule.Severity), f.Rule.Severity.String())
		printf(out, "%s %s %s: %s\n", severity, d.paint(Bold, f.Rule.ID), f.Rule.Name, printable.Line(f.Message))
		d.line(out, "at", f.Place.String()+d.onDisk(f.Place))
		for _, related := range f.Related {
			d.line(out, "with", fmt.Sprintf("%s (%s)%s", related.Place, related.Message, d.onDisk(related.Place)))
		}
		d.line(out, "Flux", f.Flux)
		if last := i+1 == len(d.Findings); last || d.Findings[i+1].Advice() != f.Advice() {
			d.line(out, "fix", f.Advice())
		}
	}
}

// onDisk returns a phrase with the file on disk, or "" if it is the file of the place.
func (d Document) onDisk(p finding.Place) string {
	spot := d.position(p)
	if spot.File == "" || spot.File == p.File {
		return ""
	}
	text := " in " + spot.File
	if !spot.Exact && p.File != "" {
		text = ", packed in " + spot.File
	}
	if spot.Line > 0 {
		text += ":" + strconv.Itoa(spot.Line)
	}
	return text
}

func (d Document) line(out *bufio.Writer, label, text string) {
	if text != "" {
		printf(out, "  %s %s\n", d.paint(Faint, fmt.Sprintf("%-5s", label)), printable.Line(text))
	}
}

// printf ignores errors, because Flush returns them.
func printf(out *bufio.Writer, format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) }

// PlacementLines writes a line for each placement, with its state and the state that its agent has
// reported. It returns the error of w.
func (r Report) PlacementLines(w io.Writer) error {
	out := bufio.NewWriter(w)
	Document{Report: r}.placementLines(out, r.Placements)
	return out.Flush()
}

func (d Document) placementLines(out *bufio.Writer, placements []Placement) {
	width := 0
	for _, p := range placements {
		width = max(width, len(printable.Line(p.name())))
	}
	agents := d.Agents()
	for _, p := range placements {
		text := p.Reason
		if p.Destination != "" {
			text = "on " + p.Destination + ": " + text
		}
		if state, known := agents.Of(&p); known {
			text += "; " + state.String()
		}
		printf(out, "%s %-*s  %s\n", d.paint(colourOfState(p.State), fmt.Sprintf("%-14s", p.State)), width, printable.Line(p.name()), printable.Line(text))
	}
	for i := range d.Deliveries {
		d.line(out, "agent", d.Deliveries[i].failure())
	}
}

func (p Placement) name() string {
	if p.Directory == "" || p.Directory == kratix.DefaultDirectory {
		return p.Work
	}
	return p.Work + " [" + p.Directory + "]"
}

// ChangeLines writes the changes of each Destination, in the style of git status.
func (r Report) ChangeLines(w io.Writer) error {
	out := bufio.NewWriter(w)
	for _, store := range r.Stores {
		for _, d := range store.Destinations {
			printf(out, "%s (%s)\n", printable.Line(d.Name), printable.Line(store.Name))
			paths(out, "add", d.Added)
			paths(out, "change", d.Changed)
			paths(out, "remove", d.Removed)
		}
	}
	return out.Flush()
}

func paths(out *bufio.Writer, verb string, all []tree.Path) {
	for _, path := range all {
		printf(out, "  %-7s %s\n", verb, printable.Line(path.String()))
	}
}

// Summary returns a summary of the report in one line.
func (r Report) Summary() string {
	return Document{Report: r, Tally: Count(r.Findings)}.totals()
}

func (d Document) totals() string {
	counts := d.Counts()
	var parts []string
	for _, state := range States() {
		if counts[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
		}
	}
	if d.Done == Probed { // placements are not examined
		return d.Tally.String()
	}
	if len(parts) == 0 {
		parts = []string{"no placements"}
	}
	return strings.Join(parts, ", ") + "; " + d.Tally.String()
}

func (d Document) leftOut() string {
	text := ""
	for _, part := range []struct {
		n    int
		what string
	}{{d.Hidden, "not shown"}, {d.Ignored, "ignored"}, {d.Known, "in the baseline"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	return text
}

// String returns the tally as text, such as "2 errors, 1 warning". Notes are not counted.
func (t Tally) String() string {
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{t.Errors, "error"}, {t.Warnings, "warning"}} {
		switch {
		case part.n == 1:
			parts = append(parts, "1 "+part.what)
		case part.n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", part.n, part.what))
		}
	}
	if len(parts) == 0 {
		return "no findings"
	}
	return strings.Join(parts, ", ")
}
