package reconcile

import (
	"bytes"
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// splitJoined takes the one file of mode aggregatedYAML apart. If it is neither as the
// records say nor of what is to be written anyway, nobody's part is known.
func (dest *desiredDestination) splitJoined(ctx context.Context) error {
	path, ok := layout.JoinedFile(dest.Destination)
	if !ok || !dest.store.state.Files.Has(path) {
		return nil
	}
	whole, err := dest.store.state.Contents.Content(ctx, path)
	if err != nil {
		return err
	}
	records := make([]layout.Record, 0, len(dest.records))
	paths := map[*kratix.WorkPlacement]tree.Path{}
	for _, record := range dest.records {
		records = append(records, *record.Record)
		paths[record.Placement] = record.path
	}
	parts := map[tree.Path][]byte{}
	for placement, part := range layout.Split(whole, records) {
		parts[paths[placement]] = part
	}
	for _, p := range dest.placements {
		part, has := parts[p.record.Path]
		if has {
			p.stored = []dedupe.File{{File: tree.File{Path: path, Content: part}, Place: finding.Place{Object: p.object(), File: path.Base()}}}
		}
	}
	dest.joinedParts = parts
	// A store that somebody else writes has a record for each part that somebody wants.
	hasRecords := len(records) > 0 || dest.store.state.Stepwise
	dest.mixedUp = len(parts) == 0 && (hasRecords || len(bytes.TrimSpace(whole)) > 0)
	return nil
}

// freeze leaves a mixed-up file as it is while some placement is not to be
// written: its part is in there, and nobody knows where.
func (dest *desiredDestination) freeze() {
	if !dest.mixedUp || !dest.mayLosePart() {
		return
	}
	const why = "another's part of the same file would be lost"
	for _, p := range dest.placements {
		if p.writable() {
			p.state, p.reason = report.Held, why
		}
	}
	for _, record := range dest.removed {
		dest.placements = append(dest.placements, keep(dest.destinationView, record.Placement, "to be removed: "+why))
	}
	dest.removed = nil
	path, _ := layout.JoinedFile(dest.Destination)
	dest.findings = append(dest.findings, finding.Finding{
		Rule: finding.BadRecord(), Place: finding.Place{Object: kratix.Describe(dest.Destination), File: path.String()},
		Message: "it is not as the records of its parts say, and not all of its parts can be made anew; it is left as it is",
		Fix:     "Mend what holds a placement back, or put the file back as it was.",
	})
}

// mayLosePart reports whether a mixed-up file may have a part that is nowhere else: that
// of a placement which is not to be written. Where nothing is recorded, that may be one
// that is not known to be on the Destination, too.
func (dest *desiredDestination) mayLosePart() bool {
	if slices.ContainsFunc(dest.placements, func(p *desiredPlacement) bool { return !p.writable() }) {
		return !dest.isMadeAnew()
	}
	isRecorded := func(r recordView) bool { return len(r.Files) > 0 }
	return dest.hidden && !slices.ContainsFunc(dest.records, isRecorded) && !dest.isMadeAnew()
}

// isMadeAnew reports whether a joined file has nothing but what is to be written anyway.
func (dest *desiredDestination) isMadeAnew() bool {
	var wanted []layout.Part
	for _, p := range dest.placements {
		if p.writable() && p.rendering.Joined {
			wanted = append(wanted, layout.Part{Placement: p.WorkPlacement, Files: p.rendering.Files})
		}
	}
	for _, file := range layout.Join(wanted) {
		if sum, _ := dest.store.state.Files.Sum(file.Path); sum == dest.store.state.Contents.Sum(file.Content) {
			return true
		}
	}
	return false
}
