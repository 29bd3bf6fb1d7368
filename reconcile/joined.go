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

// joinedFile is the joined file of a Destination, split into its parts.
type joinedFile struct {
	parts map[tree.Path][]byte
	// mixedUp means that the file does not match the records, so that it cannot be split.
	mixedUp bool
}

func splitJoined(ctx context.Context, w *wanted, candidates []*candidate) (joinedFile, error) {
	path, ok := layout.JoinedFile(w.Destination)
	if !ok || !w.store.state.Files.Has(path) {
		return joinedFile{}, nil
	}
	whole, err := w.store.state.Contents.Content(ctx, path)
	if err != nil {
		return joinedFile{}, err
	}
	byPlacement, parts := splitParts(whole, w.records), map[tree.Path][]byte{}
	for _, record := range w.records {
		if part, has := byPlacement[record.Placement]; has {
			parts[record.path] = part
		}
	}
	for _, c := range candidates {
		part, has := parts[c.record.Path]
		if has {
			c.stored = []dedupe.File{{File: tree.File{Path: path, Content: part}, Place: finding.Place{Object: c.object(), File: path.Base()}}}
		}
	}
	// In a store that Kratix writes, each wanted part counts as recorded.
	hasRecords := len(w.records) > 0 || w.store.state.Stepwise
	return joinedFile{parts: parts, mixedUp: len(parts) == 0 && (hasRecords || len(bytes.TrimSpace(whole)) > 0)}, nil
}

// keepMixedUp leaves a mixed-up file unchanged if rewriting it may lose the only copy of a part.
func (c *checked) keepMixedUp() {
	if !c.holdings.joined.mixedUp || !mayLosePart(c) {
		return
	}
	const why = "another placement's part of the same file would be lost"
	for _, p := range c.candidates {
		if p.writable() {
			p.state, p.reason = report.HeldBack, why
		}
	}
	for _, record := range c.removed {
		c.candidates = append(c.candidates, &candidate{placement: *keep(c.Destination, record.Placement, "to be removed: "+why)})
	}
	c.removed = nil
	path, _ := layout.JoinedFile(c.Destination)
	c.add(finding.Finding{
		Rule: finding.BadRecord(), Place: finding.Place{Object: kratix.Describe(c.Destination), File: path.String()},
		Message: "it differs from the records of its parts, and not all of its parts can be rendered; it is left as it is",
		Fix:     "Correct what holds a placement back, or restore the file.",
	})
}

// mayLosePart reports whether rewriting a mixed-up file may lose the only copy of a part. A
// placement that is not in the plan may have a part too.
func mayLosePart(c *checked) bool {
	if slices.ContainsFunc(c.candidates, func(p *candidate) bool { return !p.writable() }) {
		return !isUpToDate(c)
	}
	isRecorded := func(r recordView) bool { return len(r.Files) > 0 }
	return c.hidden && !slices.ContainsFunc(c.records, isRecorded) && !isUpToDate(c)
}

func isUpToDate(c *checked) bool {
	var wanted []layout.Part
	for _, p := range c.candidates {
		if p.writable() && p.rendering.Joined {
			wanted = append(wanted, layout.Part{Placement: p.WorkPlacement, Files: p.rendering.Files})
		}
	}
	for _, file := range layout.Join(wanted) {
		if sum, _ := c.store.state.Files.Digest(file.Path); sum == c.store.state.Contents.Digest(file.Content) {
			return true
		}
	}
	return false
}
