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

type rootCheck struct {
	*checked
	claimed   *tree.Set
	inputs    []dedupe.Root
	claimants [][]*candidate
}

func (c *rootCheck) addRoot(root dedupe.Root) {
	claimants := c.inRoot(root.Path)
	slices.SortStableFunc(claimants, func(a, b *candidate) int { return layout.Compare(a.WorkPlacement, b.WorkPlacement) })
	for _, p := range claimants {
		claim := p.claim()
		claim.Shared = c.holdings.sharedBy(&p.placement)
		root.Claims = append(root.Claims, claim)
	}
	c.inputs, c.claimants = append(c.inputs, root), append(c.claimants, claimants)
}

func (c *checked) inRoot(root tree.Path) (some []*candidate) {
	for _, p := range c.candidates {
		if p.rendering.Root == root {
			some = append(some, p)
		}
	}
	return some
}

// check decides which claims are written. It repeats the decision until the API server would refuse
// no further claim.
func (c *rootCheck) check() (builds []dedupe.Verdict, applies *applyCheck) {
	applies = newApplyCheck(c.checked, c.inputs)
	applies.claims()
	for {
		builds = nil
		for _, root := range c.inputs {
			builds = append(builds, dedupe.Check(root))
		}
		if !applies.among(builds) {
			return builds, applies
		}
	}
}

func (c *rootCheck) decide(builds []dedupe.Verdict, applies *applyCheck) {
	for root, claimants := range c.claimants {
		c.add(c.withOwners(builds[root].Findings, ofUnknownPlacement)...)
		for i, p := range claimants {
			refused, isRefused := applies.refused[root][i]
			p.doubtful = applies.doubtful[root][i]
			why, held := builds[root].Quarantined[i]
			switch {
			case isRefused && p.writable():
				p.refuse(refused)
			case held && p.leaving != nil:
				p.leaving, p.reason = nil, why
			case held && p.writable():
				p.quarantine(why)
			case p.writable():
				c.takeShares(p, builds[root], i)
			}
		}
	}
	c.compared = c.withOwners(applies.alone, ofUnknownPlacement)
	c.add(c.withOwners(applies.errors, ofUnknownPlacement)...)
	c.add(c.compared...)
	c.add(c.withOwners(applies.beside, ofUnknownPlacement)...)
	c.warnings, c.provides = len(applies.alone)+len(applies.beside), applies.provides
}

// foreign returns the files below a root that belong to no placement, including the canaries.
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
