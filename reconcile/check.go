package reconcile

import (
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// checked is a Destination of which is decided who may be written: what Flux would refuse
// is held back. It has its own copies of what the check changes.
type checked struct {
	wanted
	candidates []*candidate
	holdings   holdings
	// read has the objects of files, memory the roots of the last check.
	read   *kustomize.Cache
	memory *dedupe.Memory
	// leftovers are what an interrupted write has left there; what nobody wants
	// of it goes.
	leftovers []tree.Path
	// ignored is what Flux does not fetch.
	ignored *kustomize.Ignored
	// left reports whether everything is left as it is.
	left bool
	// unfolded reports whether a file of nobody's has a path with capitals or the like.
	unfolded bool
	// waits are the WorkPlacements that wait for what others write.
	waits []string
}

// newChecked returns a Destination before its check.
func newChecked(w *wanted, read *kustomize.Cache, memory *dedupe.Memory) *checked {
	c := &checked{wanted: *w, holdings: holdings{wanted: w}, read: read, memory: memory}
	c.findings, c.removed = slices.Clone(w.findings), slices.Clone(w.removed)
	for _, p := range w.placements {
		c.candidates = append(c.candidates, &candidate{placement: *p})
	}
	return c
}

// check decides who may be written. The error is the store's; what is returned with it
// says what is known of the Destination.
func check(ctx context.Context, w *wanted, read *kustomize.Cache, memory *dedupe.Memory) (*checked, error) {
	c := newChecked(w, read, memory)
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
	if c.ignored, err = ignored(ctx, &w.situation); err != nil {
		return c, err
	}
	c.quarantineBlocked()
	if err := c.checkRoots(ctx); err != nil {
		return c, err
	}
	if err := c.waitForOutgoing(ctx); err != nil {
		return c, err
	}
	c.letGo()
	c.freeze()
	c.layOutWhole()
	return c, nil
}

// checkRoots checks each root, and all of them as one cluster.
func (c *checked) checkRoots(ctx context.Context) error {
	roots := rootCheck{checked: c, claimed: c.claimed()}
	var verdicts []dedupe.Verdict
	var strangers []dedupe.File
	for _, root := range c.roots {
		foreign, err := roots.foreign(ctx, root)
		if err != nil {
			return err
		}
		strangers = append(strangers, foreign...)
		verdicts = append(verdicts, roots.check(dedupe.Root{
			Path: root, Foreign: foreign, Obstacles: roots.obstacles(root), Allows: c.store.limits.Allows, Ignored: c.ignored,
			Policy: c.policy.OnConflict, Cache: c.read, Memory: c.memory,
		}))
	}
	reportAlike(c, strangers)
	c.add(dedupe.CheckCluster(verdicts)...)
	return nil
}

// claimed returns what is, or was until this round, some placement's, and the
// records, which neither Flux nor Argo CD takes for manifests.
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

// ignored returns which of a Destination's files Flux does not fetch, after the
// round.
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
