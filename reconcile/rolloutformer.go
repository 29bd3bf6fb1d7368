package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/rollout"
)

// restore adds steps that write the files from before the run. If they cannot be read, the
// placements of the Work stay.
func (o *rollingOut) restore(ctx context.Context, run *rolloutRun, u *rolloutUnit, d *rollout.Decision) {
	undone := layout.NewRolledBack("", run.input.Revision+"@"+run.result.Run.Format(time.RFC3339), d.Reason)
	undone.Content, undone.Rollout = u.Wanted, run.rollout
	var steps []*rolloutStep
	for i, record := range u.records {
		if record == nil || trusted(record, o.now) == nil || record.Rollout.Content != u.Wanted {
			o.cannotRestore(u, d, errNoMark)
			return
		}
		files, err := o.formerFiles(ctx, u, i)
		if err != nil {
			o.cannotRestore(u, d, err)
			return
		}
		steps = append(steps, &rolloutStep{mark: record.Rollout.Before(layout.Time{Time: o.now}), isFormer: true, files: files, undone: &undone, reason: "Rollout " + run.rollout + ": " + d.Reason})
	}
	for i, step := range steps {
		o.addStep(u, i, step)
	}
}

func (o *rollingOut) cannotRestore(u *rolloutUnit, d *rollout.Decision, err error) {
	why := fmt.Sprintf("its former files cannot be restored: %s", err)
	for i := range u.placements {
		o.wait(u.view, u.placements[i], u.records[i], why)
	}
	o.result.findings = append(o.result.findings, finding.Finding{
		Rule: finding.NotRolledBack(), Place: finding.Place{Object: kratix.Describe(u.work)},
		Message: "on " + u.view.Name + ": " + d.Reason + ", but " + why,
	})
}

var errNoMark = errors.New("its record does not say what was there before")

// formerFiles returns the files that a placement had before the run. They are from an earlier
// revision of its store, or else from a Destination with the same content.
func (o *rollingOut) formerFiles(ctx context.Context, u *rolloutUnit, i int) ([]tree.File, error) {
	record, previous := u.records[i], u.records[i].Rollout.Previous
	if previous == nil {
		return nil, nil // the placement had no files
	}
	past := o.past.past(u.store, tree.Path{})
	d := &delivering{store: u.store, destinationView: u.view, past: []*revisions{past}, read: o.read, policy: o.policy}
	d.load(ctx, previous.Revision)
	if then := d.find(previous.Revision); then != nil {
		files, err := d.placementsAt(then).files(ctx, record)
		if err == nil && len(files) > 0 {
			return files, nil
		}
	}
	if previous.Content != "" {
		if files, found := o.siblingFiles(ctx, u, i, previous.Content); found {
			return files, nil
		}
	}
	return nil, fmt.Errorf("revision %s of %s cannot be read, and no other Destination has them", previous.Revision, u.store.ref)
}

// siblingFiles returns the files of a former content from another Destination, with the paths of
// this one. An empty content means any content except the wanted content.
func (o *rollingOut) siblingFiles(ctx context.Context, u *rolloutUnit, i int, content string) ([]tree.File, bool) {
	for _, store := range o.stores {
		if store.err != nil {
			continue
		}
		for _, view := range store.destinations {
			if view.Name == u.view.Name || view.FilepathMode() != u.view.FilepathMode() {
				continue
			}
			record := recordsOf(view)[groupOf(u.placements[i].WorkPlacement)]
			if record == nil || !o.hasContent(record, u.Wanted, content) {
				continue
			}
			d := &delivering{store: store, destinationView: view}
			files, err := d.placementsAt(d.present()).files(ctx, record)
			if err != nil || len(files) == 0 {
				continue
			}
			if moved, ok := moveFiles(files, view, u.view, record.Placement, u.placements[i].WorkPlacement); ok {
				return moved, true
			}
		}
	}
	return nil, false
}

// hasContent reports whether a record has a former content. An empty content means any content
// except the wanted content.
func (o *rollingOut) hasContent(record *recordView, wanted, content string) bool {
	mark := trusted(record, o.now)
	if content == "" {
		return mark == nil || mark.Content != wanted && mark.Content != ""
	}
	return mark != nil && mark.Content == content
}

// moveFiles returns the files of a placement with their paths on another Destination.
func moveFiles(files []tree.File, from, to *destinationView, old, now *kratix.WorkPlacement) ([]tree.File, bool) {
	fromDir, toDir := layout.DirOf(from.Destination, old), layout.DirOf(to.Destination, now)
	if fromDir.IsRoot() || toDir.IsRoot() {
		fromDir, toDir = from.base, to.base
	}
	moved := make([]tree.File, 0, len(files))
	for _, file := range files {
		below, within := file.Path.RelativeTo(fromDir)
		if !within {
			return nil, false
		}
		moved = append(moved, tree.File{Path: toDir.Join(below), Content: file.Content})
	}
	return moved, true
}

// stabilize adds steps that write the files of another Destination to a Destination that has joined.
func (o *rollingOut) stabilize(ctx context.Context, run *rolloutRun, u *rolloutUnit, d *rollout.Decision) {
	var steps []*rolloutStep
	for i := range u.placements {
		files, found := o.siblingFiles(ctx, u, i, "")
		if !found {
			o.waitAll(u, d.Reason+", but no other Destination has that")
			return
		}
		mark := &layout.Rollout{Name: run.rollout, Since: layout.Time{Time: o.now}, Content: unmarked}
		if slices.ContainsFunc(run.input.Targets, func(t rollout.Target) bool {
			return slices.ContainsFunc(t.Units, func(other rollout.Unit) bool { return other.Mark.Run.Equal(run.result.Run) })
		}) {
			mark.Joined = layout.Time{Time: run.result.Run}
		}
		steps = append(steps, &rolloutStep{mark: mark, isFormer: true, files: files, reason: d.Reason})
	}
	for i, step := range steps {
		o.addStep(u, i, step)
	}
}
