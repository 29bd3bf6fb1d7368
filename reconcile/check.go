package reconcile

import (
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// checked is a Destination after its check. It has its own copy of the fields that the check
// changes.
type checked struct {
	wanted
	candidates []*candidate
	holdings   holdings
	checkCaches
	// leftovers are files that an interrupted write has left behind.
	leftovers []tree.Path
	ignored   *kustomize.Ignored
	// warnings is the number of findings about objects that the API server may refuse. compared are
	// the findings about claims that were checked separately.
	warnings int
	compared []finding.Finding
	// foreign are the foreign files of each root. provides means that a verdict on a root has
	// Provides.
	foreign  [][]dedupe.File
	provides bool
	// left means that the files of the Destination are left as they are.
	left bool
	// unfolded means that the path of a foreign file is not folded, as in [tree.Path.IsFolded].
	unfolded bool
	// blocked names the WorkPlacements that depend on what Kratix itself writes.
	blocked []string
}

// checkCaches are the caches that checks share.
type checkCaches struct {
	read       *kustomize.Cache
	applied    *applycheck.Memory
	applyState *applycheck.State
	checkCache *dedupe.CheckCache
	cluster    *applycheck.Cluster
}

func newChecked(w *wanted, caches checkCaches) *checked {
	c := &checked{wanted: *w, holdings: holdings{wanted: w}, checkCaches: caches}
	c.findings, c.removed = slices.Clone(w.findings), slices.Clone(w.removed)
	for _, p := range w.placements {
		c.candidates = append(c.candidates, &candidate{placement: *p})
	}
	return c
}

// check decides which placements may be written. On an error it also returns the findings so far.
func check(ctx context.Context, w *wanted, caches checkCaches) (*checked, error) {
	c := newChecked(w, caches)
	if w.store.err != nil {
		return c, w.store.err
	}
	if !c.restExcluded {
		c.findLeftovers()
	}
	c.returnShared()
	var err error
	if c.holdings, err = newHoldings(ctx, w, c.candidates); err != nil {
		return c, err
	}
	c.dropMarks()
	if c.ignored, err = ignored(ctx, &w.situation); err != nil {
		return c, err
	}
	c.quarantineBlocked()
	if err := c.checkRoots(ctx); err != nil {
		return c, err
	}
	if err := c.checkOutgoing(ctx); err != nil {
		return c, err
	}
	c.releaseShared()
	c.keepMixedUp()
	c.keepWhole()
	return c, nil
}

func (c *checked) checkRoots(ctx context.Context) error {
	roots := rootCheck{checked: c, claimed: c.claimed()}
	for _, root := range c.roots {
		foreign, err := roots.foreign(ctx, root)
		if err != nil {
			return err
		}
		c.foreign = append(c.foreign, foreign)
		roots.addRoot(dedupe.Root{
			Path: root, Foreign: foreign, Obstacles: roots.obstacles(root), Allows: c.store.limits.Allows, Ignored: c.ignored,
			Policy: c.policy.OnConflict, Cache: c.read, CheckCache: c.checkCache,
		})
	}
	builds, applies := roots.check()
	roots.decide(builds, applies)
	reportAlike(c, slices.Concat(c.foreign...))
	c.add(dedupe.CheckCluster(builds)...)
	return nil
}

// claimed returns the files in a Destination's directory that are not foreign files.
func (c *checked) claimed() *tree.Set {
	claimed := &tree.Set{}
	for _, p := range c.candidates {
		p.addTo(claimed)
	}
	for i := range c.records {
		for _, path := range c.records[i].paths() {
			claimed.AddFile(path)
		}
	}
	for _, record := range c.removed {
		record.addTo(claimed)
	}
	for _, path := range slices.Concat(c.leftovers, outdatedFiles(&c.wanted)) {
		claimed.AddFile(path)
	}
	for _, fixture := range c.retired {
		claimed.AddFile(fixture.Path)
	}
	if c.ledgerText != "" {
		claimed.AddFile(c.ledgerPath)
	}
	return claimed
}

// ignored returns a matcher for the files of a Destination that Flux does not fetch.
func ignored(ctx context.Context, s *situation) (*kustomize.Ignored, error) {
	var files []tree.File
	read := func(path tree.Path) error {
		content, err := s.store.state.Contents.Content(ctx, path)
		files = append(files, tree.File{Path: path, Content: content})
		return err
	}
	for path := range kustomize.IgnoreFilesAbove(s.base) {
		if !s.store.state.Files.Has(path) {
			continue
		}
		if err := read(path); err != nil {
			return nil, err
		}
	}
	for path := range s.store.state.Files.Below(s.base) {
		if !kustomize.IsIgnoreFile(path) {
			continue
		}
		if err := read(path); err != nil {
			return nil, err
		}
	}
	return kustomize.Ignore(files), nil
}
