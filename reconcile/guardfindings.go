package reconcile

import (
	"context"
	"fmt"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// findings returns the findings about the removals that the guard prevents. missing returns reasons
// why Works may be missing.
func (v *guardVerdict) findings(ctx context.Context, w *observed, missing func(context.Context) []string) []finding.Finding {
	counted := fmt.Sprintf("%d of %d placements have lost their Works or groups", v.counted, v.recorded)
	switch v.judgement {
	case removalsDelayed:
		return []finding.Finding{{
			Rule: finding.DeletionsHeld(), Place: v.place(w.Destinations),
			Message: counted + "; they stay until that has lasted, since the input has only just been read",
			Fix:     "Nothing, if the removal is intended; otherwise restore the Works.",
		}}
	case removalsRefused:
	default:
		return nil
	}
	if v.recent > 0 {
		counted += fmt.Sprintf(", and %d more were removed in the last %s", v.recent, v.window)
	}
	if n := len(v.guarded); n > 1 {
		counted += fmt.Sprintf(", on %d Destinations", n)
	}
	sum := v.counted + v.recent
	reasons := v.reasons(ctx, w.Empty, missing)
	message := strings.Join(append([]string{counted}, reasons...), "; ") +
		fmt.Sprintf("; none of them is removed without --allow-removals %d", sum)
	return []finding.Finding{{
		Rule: finding.DeletionsRefused(), Place: v.place(w.Destinations), Message: message,
		Fix: fmt.Sprintf("Restore the Works. If the removal is intended, run once with --allow-removals %d, or write it to the --allow-removals-file of the daemon.", sum),
	}}
}

// place returns the Destination with the counted removals if there is exactly one, and otherwise
// the zero Place.
func (v *guardVerdict) place(destinations []*kratix.Destination) finding.Place {
	for _, d := range destinations {
		if len(v.guarded) == 1 && v.guarded[d.Name] > 0 {
			return finding.Place{Object: kratix.Describe(d)}
		}
	}
	return finding.Place{}
}

const namedFiles = 3

func (v *guardVerdict) reasons(ctx context.Context, empty []string, missing func(context.Context) []string) []string {
	var reasons []string
	if v.works == 0 {
		reasons = append(reasons, "the input has no Work at all")
	}
	for _, name := range empty[:min(len(empty), namedFiles)] {
		reasons = append(reasons, name+" is empty")
	}
	if missing != nil {
		reasons = append(reasons, missing(ctx)...)
	}
	if v.unreadable != nil {
		reasons = append(reasons, v.unreadable.Error())
	}
	return reasons
}

// emptyFindings returns a finding for each empty file whose former content is unknown.
func emptyFindings(o *observed) []finding.Finding {
	var findings []finding.Finding
	for _, name := range o.Empty {
		findings = append(findings, finding.Finding{
			Rule: finding.KeptFromBefore(), Place: finding.Place{File: name},
			Message: "the file is empty and what it held before is not known, so no placement that has lost its Work is removed",
		})
	}
	return findings
}
