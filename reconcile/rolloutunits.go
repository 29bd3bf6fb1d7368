package reconcile

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/rollout"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// rolloutCache is state of rollouts that is kept from round to round. The zero value is ready for
// use.
type rolloutCache struct {
	contents generations[contentKey, string]
	matches  generations[matchKey, matchEntry]
	memories generations[rolloutKey, *rollout.Memory]
	// watching is the time of the first round.
	watching time.Time
}

func (c *rolloutCache) startRound(now time.Time) {
	c.contents.rotate()
	c.matches.rotate()
	c.memories.rotate()
	if c.watching.IsZero() {
		c.watching = now
	}
}

// rolloutKey identifies the run of a Rollout for one Promise.
type rolloutKey struct{ rollout, promise string }

// contentKey identifies the content of a group.
type contentKey struct {
	work  *kratix.Work
	group string
}

// matchKey identifies a placement. matchEntry has the result of comparing its stored files with a
// Work.
type (
	matchKey struct {
		destination *kratix.Destination
		group       placedGroup
	}
	matchEntry struct {
		work    *kratix.Work
		files   statestore.Files
		isEqual bool
	}
)

// rolloutUnit is a Work on a Destination that a Rollout selects.
type rolloutUnit struct {
	rollout.Unit
	store      *storeView
	view       *destinationView
	work       *kratix.Work
	placements []scheduler.Placement
	// records are the records of the placements, or nil for a placement without a record.
	records []*recordView
	// leaving are the records of groups that the Work has lost.
	leaving []*recordView
	// newest is the mark with the latest time, or nil.
	newest *layout.Rollout
}

// unmarked is the content of a placement that has no mark and is not as wanted.
const unmarked = "unknown"

// contentOf returns the digest of the unpacked files of a placement.
func (c *rolloutCache) contentOf(p *scheduler.Placement) string {
	key := contentKey{p.Work, p.Spec.ID}
	if known, ok := c.contents.get(key); ok {
		return known
	}
	files := make([]layout.File, 0, len(p.Spec.Workloads))
	for _, workload := range p.Spec.Workloads {
		content, err := kratix.Decode(workload.Content)
		if err != nil {
			content = []byte(workload.Content)
		}
		path, err := tree.ParsePath(workload.Filepath)
		if err != nil {
			continue
		}
		files = append(files, layout.File{File: tree.File{Path: path, Content: content}})
	}
	slices.SortFunc(files, func(a, b layout.File) int { return tree.Compare(a.Path, b.Path) })
	return c.contents.put(key, fmt.Sprintf("%x", digestOf(files)))
}

// wantedContent returns the digest of the wanted content of a unit.
func (c *rolloutCache) wantedContent(u *rolloutUnit) string {
	parts := make([]string, 0, len(u.placements))
	for i := range u.placements {
		parts = append(parts, u.placements[i].Spec.ID+" "+c.contentOf(&u.placements[i]))
	}
	slices.Sort(parts)
	return "sha256:" + fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, "\n"))))
}

// stateOf sets the state of a unit from the records and files of its placements.
func (c *rolloutCache) stateOf(ctx context.Context, u *rolloutUnit, now time.Time) {
	u.Wanted = c.wantedContent(u)
	if u.store.err != nil {
		u.Stored = unmarked
		return
	}
	marked, areStored, isPartial := map[string]bool{}, true, len(u.leaving) > 0
	for i, record := range u.records {
		if record == nil {
			isPartial = true
			continue
		}
		u.addUndone(record)
		mark := trusted(record, now)
		if mark == nil || mark.Content == "" {
			marked[unmarked] = true
			areStored = areStored && c.isStored(ctx, u, i)
			continue
		}
		marked[mark.Content] = true
		if u.newest == nil || mark.Since.After(u.newest.Since.Time) {
			u.newest = mark
		}
	}
	for _, record := range u.leaving {
		if trusted(record, now) == nil {
			marked[unmarked] = true
		}
	}
	u.setStored(marked, areStored, isPartial)
	if m := u.newest; m != nil {
		u.Mark = rollout.Mark{Run: m.Run.Time, Since: m.Since.Time, Joined: m.Joined.Time, Late: m.Late, Previous: u.hasPrevious()}
	}
}

// setStored sets the stored content of a unit. marked are the contents of its placements. areStored
// means that the placements without a mark are as wanted.
func (u *rolloutUnit) setStored(marked map[string]bool, areStored, isPartial bool) {
	if marked[unmarked] && areStored && !isPartial {
		delete(marked, unmarked)
		marked[u.Wanted] = true
	}
	switch {
	case u.newest != nil:
		u.Stored = u.newest.Content
	case marked[u.Wanted]:
		u.Stored = u.Wanted
	case len(marked) > 0:
		u.Stored = unmarked
	}
	u.Mixed = len(marked) > 1 || isPartial && u.Stored == u.Wanted
}

// hasPrevious reports whether a mark of the placements has a previous content.
func (u *rolloutUnit) hasPrevious() bool {
	return slices.ContainsFunc(u.records, func(r *recordView) bool { return r != nil && r.Rollout != nil && r.Rollout.Previous != nil })
}

// addUndone sets Undone or Refused if the wanted content was rolled back on the Destination.
func (u *rolloutUnit) addUndone(record *recordView) {
	for i := range record.RolledBack {
		one := &record.RolledBack[i]
		switch {
		case one.Content != u.Wanted || u.work.Annotations[scheduler.RetryAnnotation] == one.Revision:
		case one.Rollout != "":
			u.Undone = true
		default:
			u.Refused = couldNotBeApplied(one)
		}
	}
}

// isStored reports whether the stored files of a placement are the wanted files.
func (c *rolloutCache) isStored(ctx context.Context, u *rolloutUnit, i int) bool {
	key := matchKey{u.view.Destination, groupOf(u.placements[i].WorkPlacement)}
	files := u.store.state.Files
	if known, ok := c.matches.get(key); ok && known.work == u.work && known.files.Same(files, u.view.base) {
		return known.isEqual
	}
	return c.matches.put(key, matchEntry{u.work, files, u.compare(ctx, i)}).isEqual
}

func (u *rolloutUnit) compare(ctx context.Context, i int) bool {
	rendering, problems := layout.Render(u.view.Destination, u.placements[i].WorkPlacement)
	if len(problems) > 0 {
		return false
	}
	wanted := storedForm(u.placements[i].WorkPlacement, &rendering)
	if rendering.Joined {
		d := &delivering{store: u.store, destinationView: u.view}
		stored, err := d.placementsAt(d.present()).files(ctx, u.records[i])
		return err == nil && slices.EqualFunc(stored, wanted, sameFile)
	}
	listed := slices.SortedFunc(slices.Values(u.records[i].Files), tree.Compare)
	return slices.EqualFunc(listed, wanted, func(path tree.Path, file tree.File) bool {
		digest, there := u.store.state.Files.Digest(path)
		return there && path == file.Path && digest == u.store.state.Contents.Digest(file.Content)
	})
}

// storedForm returns rendered files in the form of stored files. A joined file is one file.
func storedForm(p *kratix.WorkPlacement, rendering *layout.Rendering) []tree.File {
	if rendering.Joined {
		return layout.Join([]layout.Part{{Placement: p, Files: rendering.Files}})
	}
	files := make([]tree.File, 0, len(rendering.Files))
	for _, file := range rendering.Files {
		files = append(files, file.File)
	}
	return files
}

// addReports adds the reports of the Destination's agent about the stored content.
func (u *rolloutUnit) addReports(deliveries []*report.Delivery) {
	for i, record := range u.records {
		if record == nil {
			continue
		}
		for _, d := range deliveries {
			if d.Root == "" || u.work.IsDependency() == (d.Root == agent.Dependencies) {
				u.addReport(d, kratix.KeyOf(record.Placement), i == 0)
			}
		}
	}
}

// addReport adds the report about the root of one placement. The unit is applied or healthy if all
// its placements are.
func (u *rolloutUnit) addReport(d *report.Delivery, key kratix.Key, isFirst bool) {
	applied, healthy := time.Time{}, time.Time{}
	if d.AppliedKnown && !d.Unapplied[key] {
		applied = notBefore(d.Stable.Applied.Time, u.Mark.Since)
	}
	if d.HealthyKnown && !d.Unchecked[key] {
		healthy = notBefore(d.Stable.Healthy.Time, u.Mark.Since)
	}
	u.Applied, u.Healthy = both(u.Applied, applied, isFirst), both(u.Healthy, healthy, isFirst)
	f := d.State.Failure
	if f == nil || f.Since.Before(u.Mark.Since) || !blames(d, key) || u.Failure != "" && !u.Unhealthy {
		return
	}
	isUnhealthy := f.Outcome.IsApplied()
	if !isUnhealthy && !applied.IsZero() {
		return // the content was applied before, so something else has changed
	}
	u.Failure, u.FailedAt, u.Unhealthy = f.String(), f.Since, isUnhealthy
}

// blames reports whether a failure is, or may be, about a placement.
func blames(d *report.Delivery, key kratix.Key) bool {
	is := func(c report.Claimant) bool { return c.Placement == key }
	switch {
	case len(d.Failing) > 0:
		return slices.ContainsFunc(d.Failing, is)
	case len(d.Suspects) > 0:
		return slices.ContainsFunc(d.Suspects, is)
	}
	return true
}

func notBefore(at, first time.Time) time.Time {
	if at.Before(first) {
		return first
	}
	return at
}

// both returns at if isFirst is set. Otherwise it returns the later of the two times, or the zero
// time if one of them is zero.
func both(before, at time.Time, isFirst bool) time.Time {
	if isFirst {
		return at
	}
	if before.IsZero() || at.IsZero() {
		return time.Time{}
	}
	return notBefore(before, at)
}
