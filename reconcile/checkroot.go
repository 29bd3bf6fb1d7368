package reconcile

import (
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// rootCheck checks the roots of a Destination.
type rootCheck struct {
	*checked
	// claimed are the files that belong to placements.
	claimed *tree.Set
}

// check checks a root with the claims of its candidates, and quarantines those that may not
// be written.
func (c *rootCheck) check(root dedupe.Root) dedupe.Verdict {
	var claimants []*candidate
	for _, p := range c.candidates {
		if p.rendering.Root == root.Path {
			claimants = append(claimants, p)
		}
	}
	slices.SortStableFunc(claimants, func(a, b *candidate) int { return layout.Compare(a.WorkPlacement, b.WorkPlacement) })
	for _, p := range claimants {
		claim := p.claim()
		claim.Shared = c.holdings.sharedBy(&p.placement)
		root.Claims = append(root.Claims, claim)
	}
	verdict := dedupe.Check(root)
	c.add(c.withOwners(verdict.Findings, ofUnknownPlacement)...)
	for i, p := range claimants {
		why, held := verdict.Quarantined[i]
		switch {
		case held && p.leaving != nil:
			p.leaving, p.reason = nil, why
		case held && p.writable():
			p.quarantine(why)
		case p.writable():
			c.takeShares(p, verdict, i)
		}
	}
	return verdict
}

// foreign returns the files below a root that belong to no placement: files of people and
// other tools, and the Destination's own fixtures.
func (c *rootCheck) foreign(ctx context.Context, root tree.Path) ([]dedupe.File, error) {
	var files []dedupe.File
	for path := range c.store.state.Files.Below(root) {
		if c.claimed.Has(path) {
			continue
		}
		content, err := c.store.state.Contents.Content(ctx, path)
		if err != nil {
			return nil, err
		}
		files = append(files, dedupe.File{File: tree.File{Path: path, Content: content}, Place: c.placeOf(path)})
	}
	for _, fixture := range c.fixtures {
		if !c.store.state.Files.Has(fixture.Path) && fixture.Path.Within(root) {
			place := finding.Place{Object: kratix.Describe(c.Destination), File: fixture.Path.String()}
			files = append(files, dedupe.File{File: fixture, Place: place})
		}
	}
	return files, nil
}
