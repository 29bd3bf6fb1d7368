package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// Text writes findings, each in a few lines:
//
//	error KS001 DuplicateObject: what is wrong
//	  at    Work default/b, crds.yaml:3
//	  with  Work default/a, crds.yaml:3 (whose it is)
//	  Flux  what Flux would say
//	  fix   what to do
//
// The fix is written once for findings of a kind that follow each other.
func Text(w io.Writer, findings []finding.Finding) error {
	out := bufio.NewWriter(w)
	for i, f := range findings {
		printf(out, "%s %s %s: %s\n", f.Rule.Severity, f.Rule.ID, f.Rule.Name, f.Message)
		line(out, "at", f.Place.String())
		for _, related := range f.Related {
			line(out, "with", fmt.Sprintf("%s (%s)", related.Place, related.Message))
		}
		line(out, "Flux", f.Flux)
		if last := i+1 == len(findings); last || findings[i+1].Advice() != f.Advice() {
			line(out, "fix", f.Advice())
		}
	}
	return out.Flush()
}

func line(out *bufio.Writer, label, text string) {
	if text != "" {
		printf(out, "  %-5s %s\n", label, text)
	}
}

// printf leaves errors to the Flush that ends each function.
func printf(out *bufio.Writer, format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) }

// PlacementLines writes a line for each placement:
//
//	placed      default/a      on worker-1  the only Destination that fits
//	held back   default/b      on worker-1  it would break worker-1/resources
func (r Report) PlacementLines(w io.Writer) error {
	out := bufio.NewWriter(w)
	width := 0
	for _, p := range r.Placements {
		width = max(width, len(p.name()))
	}
	for _, p := range r.Placements {
		on := ""
		if p.Destination != "" {
			on = "on " + p.Destination + ": "
		}
		printf(out, "%-14s %-*s  %s%s\n", p.State, width, p.name(), on, p.Reason)
	}
	return out.Flush()
}

// name gives the Work, and the group where it is not the default one.
func (p Placement) name() string {
	if p.Directory == "" || p.Directory == kratix.DefaultDirectory {
		return p.Work
	}
	return p.Work + " [" + p.Directory + "]"
}

// ChangeLines writes what changes for each Destination, as git status does:
//
//	worker-1 (GitStateStore default)
//	  add     worker-1/resources/default/a.yaml
func (r Report) ChangeLines(w io.Writer) error {
	out := bufio.NewWriter(w)
	for _, store := range r.Stores {
		for _, d := range store.Destinations {
			printf(out, "%s (%s)\n", d.Name, store.Name)
			paths(out, "add", d.Added)
			paths(out, "change", d.Changed)
			paths(out, "remove", d.Removed)
		}
	}
	return out.Flush()
}

func paths(out *bufio.Writer, verb string, all []tree.Path) {
	for _, path := range all {
		printf(out, "  %-7s %s\n", verb, path)
	}
}

// Summary says in one line what the report comes to.
func (r Report) Summary() string {
	counts := map[State]int{}
	for _, p := range r.Placements {
		counts[p.State]++
	}
	var parts []string
	for _, state := range []State{Placed, Unchanged, Removed, Kept, Held, Unplaced, Failed} {
		if counts[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
		}
	}
	if len(parts) == 0 {
		parts = []string{"no placements"}
	}
	return strings.Join(parts, ", ") + "; " + tally(r.Findings)
}

func tally(findings []finding.Finding) string {
	counts := map[finding.Severity]int{}
	for _, f := range findings {
		counts[f.Rule.Severity]++
	}
	if counts[finding.Error]+counts[finding.Warning] == 0 {
		return "no findings"
	}
	var parts []string
	for _, severity := range []finding.Severity{finding.Error, finding.Warning} {
		if n := counts[severity]; n == 1 {
			parts = append(parts, fmt.Sprintf("1 %s", severity))
		} else if n > 1 {
			parts = append(parts, fmt.Sprintf("%d %ss", n, severity))
		}
	}
	return strings.Join(parts, ", ")
}
