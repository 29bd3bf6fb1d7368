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

// settle decides who may be written: it holds back what Flux would choke on.
func (dest *desiredDestination) settle(ctx context.Context) error {
	if dest.store.err != nil {
		return dest.store.err
	}
	if !dest.excludeRest() {
		dest.findLeftovers()
	}
	dest.returnShared()
	if err := dest.findStored(ctx); err != nil {
		return err
	}
	ignored, err := dest.ignored(ctx)
	if err != nil {
		return err
	}
	dest.notFetched = ignored
	dest.findBlocked()
	claimed := dest.claimed()
	var verdicts []dedupe.Verdict
	var strangers []dedupe.File
	for _, root := range dest.roots {
		foreign, err := dest.foreign(ctx, root, claimed)
		if err != nil {
			return err
		}
		strangers = append(strangers, foreign...)
		verdicts = append(verdicts, dest.settleRoot(dedupe.Root{
			Path: root, Foreign: foreign, Obstacles: dest.obstacles(root), Allows: dest.store.limits.Allows, Ignored: ignored,
			Policy: dest.policy.OnConflict, Cache: dest.read, Memory: dest.memory,
		}))
	}
	dest.tellAlike(strangers)
	dest.findings = append(dest.findings, dedupe.CheckCluster(verdicts)...)
	if err := dest.waitForOutgoing(ctx); err != nil {
		return err
	}
	dest.letGo()
	dest.freeze()
	dest.layOutWhole()
	return nil
}

func (dest *desiredDestination) settleRoot(root dedupe.Root) dedupe.Verdict {
	var claimants []*desiredPlacement
	for _, p := range dest.placements {
		if p.rendering.Root == root.Path {
			claimants = append(claimants, p)
		}
	}
	slices.SortStableFunc(claimants, func(a, b *desiredPlacement) int { return layout.Compare(a.WorkPlacement, b.WorkPlacement) })
	for _, p := range claimants {
		claim := p.claim()
		claim.Shared = dest.sharedBy(p)
		root.Claims = append(root.Claims, claim)
	}
	verdict := dedupe.Check(root)
	dest.findings = append(dest.findings, dest.withOwners(verdict.Findings, ofStranger)...)
	for i, p := range claimants {
		why, held := verdict.Held[i]
		switch {
		case held && p.leaving != nil:
			p.leaving, p.reason = nil, why
		case held && p.writable():
			p.hold(why)
		case p.writable():
			dest.takeShares(p, verdict, i)
		}
	}
	return verdict
}

// foreign returns the files below a root that belong to no placement: other
// tools', people's, and the Destination's own fixtures.
func (dest *desiredDestination) foreign(ctx context.Context, root tree.Path, claimed *tree.Set) ([]dedupe.File, error) {
	var files []dedupe.File
	for path := range dest.store.state.Files.Below(root) {
		if claimed.Has(path) {
			continue
		}
		content, err := dest.store.state.Contents.Content(ctx, path)
		if err != nil {
			return nil, err
		}
		files = append(files, dedupe.File{File: tree.File{Path: path, Content: content}, Place: dest.placeOf(path)})
	}
	for _, fixture := range dest.fixtures {
		if !dest.store.state.Files.Has(fixture.Path) && fixture.Path.Within(root) {
			place := finding.Place{Object: kratix.Describe(dest.Destination), File: fixture.Path.String()}
			files = append(files, dedupe.File{File: fixture, Place: place})
		}
	}
	return files, nil
}

// claimed returns what is, or was until this round, some placement's, and the
// records, which neither Flux nor Argo CD takes for manifests.
func (dest *desiredDestination) claimed() *tree.Set {
	claimed := &tree.Set{}
	for _, p := range dest.placements {
		p.addTo(claimed)
	}
	for i := range dest.records {
		for _, path := range dest.records[i].paths() {
			claimed.AddFile(path)
		}
	}
	for _, record := range dest.removed {
		record.addTo(claimed)
	}
	for _, path := range slices.Concat(dest.leftovers, dest.outdated()) {
		claimed.AddFile(path)
	}
	for _, fixture := range dest.retired {
		claimed.AddFile(fixture.Path)
	}
	if dest.ledgerText != "" {
		claimed.AddFile(dest.ledgerPath)
	}
	return claimed
}
