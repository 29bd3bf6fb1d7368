package reconcile

import (
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// independence is cached data of a Destination on which no placement affects another. The findings
// on such a Destination are warnings about objects that the API server may refuse.
type independence struct {
	digest  *dedupe.Digest
	ignored *kustomize.Ignored
	// foreign are the foreign files of each root. provides means that a verdict on a root has
	// Provides.
	foreign  [][]dedupe.File
	provides bool
}

// maxForeign is the maximum size of the foreign files of an independence, in bytes.
const maxForeign = 64 << 10

// newIndependent returns the independence of a Destination, or nil if its placements may affect one
// another.
func newIndependent(c *checked, made *outcome) *independence {
	digest := c.checkCache.Digest()
	if digest == nil || len(made.findings) > c.warnings || !c.mayBeIndependent() {
		return nil
	}
	own := map[tree.Path]bool{}
	compared := warnedAbout(c.compared)
	for _, p := range c.candidates {
		if !p.isIndependent() {
			return nil
		}
		if (compared[p.object()] || slices.ContainsFunc(p.stored, c.isNeeded)) && !p.isStored() {
			return nil // the next check of this placement has other stored files
		}
		own[p.record.Path] = true
	}
	for _, record := range c.records {
		if !own[record.path] || len(record.Shared)+len(record.elsewhere) > 0 {
			return nil
		}
	}
	return &independence{digest: digest, ignored: c.ignored, foreign: c.foreign, provides: c.provides}
}

// mayBeIndependent reports whether nothing except the placements rules out independence.
func (c *checked) mayBeIndependent() bool {
	return sizeOf(c.foreign) <= maxForeign && !c.unfolded && len(c.removed) == 0 && !c.IsDeleted() && c.isPlain()
}

// isIndependent reports whether a placement of the plan is writable and plain, and its directory
// has a folded path.
func (p *placement) isIndependent() bool {
	return p.from != nil && p.isPlain() && p.rendering.Dir.IsFolded() && p.writable()
}

// isPlain reports whether a placement has its own directory and no shared objects.
func (p *placement) isPlain() bool {
	return !p.rendering.Dir.IsRoot() && !p.rendering.Joined && len(p.rendering.Shared) == 0
}

// staysIndependent reports whether a cached independence can be used in this round.
func (known *cacheEntry) staysIndependent(now *situation) bool {
	return known.independent != nil && !now.store.state.Stepwise && now.isPlain() && now.continues(&known.situation)
}

// update derives an outcome from the previous outcome by checking the changed placements. It
// returns false if the whole Destination must be checked.
func (known *cacheEntry) update(ctx context.Context, now situation, caches checkCaches, unpacked *contents) (cacheEntry, bool) {
	part, replaced, ok := known.changed(&now)
	if !ok {
		return cacheEntry{}, false
	}
	w := &wanted{situation: now, renderings: renderings{}}
	view := *now.destinationView
	w.destinationView, w.plan = &view, part
	w.fixtures, _ = layout.Fixtures(w.Destination) // an error would have excluded the Destination before
	w.indexRecords()
	w.place(nil, unpacked)
	if len(w.findings) > 0 || !isOnlyTheirs(w, &known.situation) || mayMeetOthers(w, known) {
		return cacheEntry{}, false
	}
	w.indexRecords()
	c := newChecked(w, caches)
	var err error
	if c.holdings, err = newHoldings(ctx, w, c.candidates); err != nil {
		return cacheEntry{}, false
	}
	c.dropMarks()
	roots := c.claims(known.independent.ignored)
	others, ok := known.findingsAboutOthers(&now, w.placements)
	if !ok {
		return cacheEntry{}, false
	}
	warnings, ok := known.independent.warningsAlone(c, roots)
	if !ok || !known.independent.digest.Replace(roots) {
		return cacheEntry{}, false
	}
	c.findings = others
	if len(warnings) > 0 {
		c.findings = slices.Concat(others, warnings)
	}
	made := newOutcome(c, diff(c))
	made.placements = known.outcome.placementsWith(made.placements, replaced)
	return cacheEntry{situation: now.kept(), outcome: made, independent: known.independent}, true
}

// findingsAboutOthers returns the findings of the last outcome that are not about the changed
// placements. It returns false if one of them may also be about an unchanged placement.
func (known *cacheEntry) findingsAboutOthers(now *situation, changed []*placement) ([]finding.Finding, bool) {
	all := known.outcome.findings
	warned := warnedAbout(all)
	about := map[string]bool{}
	isChanged := make(map[*kratix.WorkPlacement]bool, len(changed))
	for _, p := range changed {
		isChanged[p.WorkPlacement] = true
		if warned[p.object()] {
			about[p.object()] = true
		}
	}
	if len(about) == 0 {
		return all, true
	}
	for _, p := range now.plan.placements {
		if !isChanged[p.WorkPlacement] && about[kratix.Describe(p.Work)] {
			return nil, false
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(f finding.Finding) bool { return about[f.Place.Object] }), true
}

func warnedAbout(warnings []finding.Finding) map[string]bool {
	objects := make(map[string]bool, len(warnings))
	for _, f := range warnings {
		objects[f.Place.Object] = true
	}
	return objects
}

// changed returns the placements that have changed or are not yet written, and the placements that
// they replace. It returns false if the whole Destination must be checked.
func (known *cacheEntry) changed(now *situation) (changed destinationPlan, replaced map[*kratix.WorkPlacement]bool, ok bool) {
	before := make(map[*kratix.WorkPlacement]int, len(known.situation.plan.placements))
	names := make(map[kratix.Key]*kratix.WorkPlacement, len(before))
	for i, p := range known.situation.plan.placements {
		before[p.WorkPlacement] = i
	}
	changed.guard, changed.steps = now.plan.guard, now.plan.steps
	unwritten := map[*kratix.WorkPlacement]bool{}
	for _, p := range known.outcome.placements {
		if p.State != report.Unchanged {
			unwritten[p.Object] = true
		}
	}
	for _, p := range now.plan.placements {
		at, there := before[p.WorkPlacement]
		if there && known.situation.plan.placements[at] == p && !unwritten[p.WorkPlacement] {
			delete(before, p.WorkPlacement)
			continue
		}
		if p.Misplaced {
			return destinationPlan{}, nil, false
		}
		changed.placements = append(changed.placements, p)
		names[kratix.KeyOf(p.WorkPlacement)] = p.WorkPlacement
	}
	replaced = make(map[*kratix.WorkPlacement]bool, len(before))
	for old := range before {
		if names[kratix.KeyOf(old)] == nil || known.independent.provides && unwritten[old] {
			return destinationPlan{}, nil, false
		}
		replaced[old] = true
	}
	return changed, replaced, true
}

// isOnlyTheirs reports whether the placements are plain and no other files of the Destination have
// changed. It then reduces the Destination's records to those of the placements.
func isOnlyTheirs(w *wanted, was *situation) bool {
	dirs, records := map[tree.Path]bool{}, map[tree.Path]*placement{}
	for _, p := range w.placements {
		if !p.writable() || !p.isPlain() || dirs[p.rendering.Dir] {
			return false
		}
		dirs[p.rendering.Dir], records[p.record.Path] = true, p
	}
	for path := range w.store.state.Files.Within(w.base).Differing(was.store.state.Files.Within(w.base)) {
		theirs := records[path] != nil
		for dir := path; !theirs && dir != w.base && !dir.IsRoot(); dir = dir.Dir() {
			theirs = dirs[dir]
		}
		if !theirs {
			return false
		}
	}
	all := w.records
	w.records = nil
	for _, record := range all {
		p := records[record.path]
		if p == nil {
			continue
		}
		if layout.DirOf(w.Destination, record.Placement) != p.rendering.Dir || record.mode != w.FilepathMode() || len(record.Shared)+len(record.elsewhere) > 0 {
			return false
		}
		w.records = append(w.records, record)
	}
	return true
}

func (c *checked) claims(ignored *kustomize.Ignored) []dedupe.Root {
	roots := make([]dedupe.Root, 0, len(c.roots))
	for _, path := range c.roots {
		root := dedupe.Root{Path: path, Ignored: ignored, Cache: c.read}
		for _, p := range c.inRoot(path) {
			root.Claims = append(root.Claims, p.claim())
		}
		roots = append(roots, root)
	}
	return roots
}

func sizeOf(roots [][]dedupe.File) (size int) {
	for _, files := range roots {
		for _, file := range files {
			size += len(file.Content)
		}
	}
	return size
}

// placementsWith returns the reported placements without the replaced ones, merged with come.
func (o *outcome) placementsWith(come []report.Placement, replaced map[*kratix.WorkPlacement]bool) []report.Placement {
	all := make([]report.Placement, 0, len(o.placements)+len(come))
	for _, p := range o.placements {
		if replaced[p.Object] {
			continue
		}
		for len(come) > 0 && report.ComparePlacements(come[0], p) < 0 {
			all, come = append(all, come[0]), come[1:]
		}
		all = append(all, p)
	}
	return slices.Concat(all, come)
}

// mayMeetOthers reports whether a placement may conflict with another file or placement on the
// Destination.
func mayMeetOthers(w *wanted, known *cacheEntry) bool {
	var dirs tree.Set
	for _, p := range w.placements {
		dirs.AddDir(p.rendering.Dir)
	}
	return slices.ContainsFunc(w.placements, func(p *placement) bool {
		return dirs.Has(p.rendering.Dir.Dir()) || mayMeet(w, p, known)
	})
}

func mayMeet(w *wanted, p *placement, known *cacheEntry) bool {
	dir := p.rendering.Dir
	if !dir.IsFolded() {
		return true
	}
	if _, _, filled := w.filledBy(p.record.Path); filled {
		return true
	}
	if _, _, blocked := w.blockedBy(dir); blocked {
		return true
	}
	for range w.store.state.Obstacles.Below(dir) {
		return true
	}
	for at := dir.Dir(); at != p.rendering.Root && !at.IsRoot(); at = at.Dir() {
		if known.independent.digest.Claims(at) {
			return true
		}
	}
	if !w.store.state.Files.Has(p.record.Path) {
		for range w.store.state.Files.Below(dir) {
			return true
		}
	}
	return false
}
