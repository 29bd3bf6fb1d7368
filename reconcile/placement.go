package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// decision is the state of a placement in the round, with the reason. The state is Placed if the
// placement is to be written.
type decision struct {
	state  report.State
	reason string
	// conflicts means that the placement is quarantined, and may be written on another Destination.
	conflicts bool
	doubtful  bool
}

func (d *decision) writable() bool { return d.state == report.Placed }

func (d *decision) quarantine(why string) {
	d.state, d.reason, d.conflicts = report.HeldBack, why, true
}

func (d *decision) refuse(why applycheck.Refusal) {
	d.state, d.reason, d.conflicts = report.HeldBack, why.Reason, !why.Everywhere
}

type placement struct {
	*kratix.WorkPlacement
	// from is the plan's placement. It is nil for a placement that is kept.
	from      *scheduler.Placement
	rendering layout.Rendering
	record    tree.File
	// failed is set if the agent could not apply the stored files. because is set if the rendered
	// files are former files.
	failed  *failedFiles
	because *layout.RolledBack
	decision
}

func keep(d *kratix.Destination, p *kratix.WorkPlacement, reason string) *placement {
	kept := &placement{WorkPlacement: p, decision: decision{state: report.Kept, reason: reason}}
	kept.rendering, _ = layout.Render(d, p) // a record has no contents, so rendering cannot fail
	kept.record, _ = layout.NewRecord(d, p, kept.rendering)
	return kept
}

func (p *placement) object() string { return kratix.WorkKind + " " + p.Work().String() }

func (p *placement) rank() dedupe.Rank {
	rank := dedupe.Rank{Name: kratix.KeyOf(p).String()}
	if p.from != nil {
		rank.Created = p.from.Work.CreationTimestamp.Time
	}
	return rank
}

func (p *placement) files() []dedupe.File {
	files := make([]dedupe.File, 0, len(p.rendering.Files))
	for _, file := range p.rendering.Files {
		files = append(files, dedupe.File{File: file.File, Place: finding.Place{Object: p.object(), File: file.Workload}})
	}
	return files
}

type candidate struct {
	placement
	stored []dedupe.File
	// leaving is the record of a placement that is to be removed, and nil for other placements.
	leaving *recordView
}

func (c *candidate) claim() dedupe.Claim {
	claim := dedupe.Claim{
		Object: c.object(), Owner: c.object(), Dir: c.rendering.Dir, Joined: c.rendering.Joined,
		Stored: c.stored, Applied: c.applied(), Kept: !c.writable() && c.leaving == nil, Rank: c.rank(),
	}
	if c.from != nil {
		claim.Owner = c.from.Work.Owner()
	}
	if c.writable() {
		claim.Wanted = c.files()
	}
	return claim
}

// applied returns the files that the agent has applied last, if it could not apply the stored
// files, and otherwise nil.
func (c *candidate) applied() []dedupe.File {
	if c.failed == nil {
		return nil
	}
	files := make([]dedupe.File, 0, len(c.failed.applied))
	for _, file := range c.failed.applied {
		files = append(files, dedupe.File{File: file, Place: finding.Place{Object: c.object(), File: file.Path.Base()}})
	}
	return files
}

// addTo adds the paths that belong, or may belong, to a placement.
func (c *candidate) addTo(set *tree.Set) {
	if !c.rendering.Dir.IsRoot() {
		set.AddDir(c.rendering.Dir)
	}
	for _, file := range c.stored {
		set.AddFile(file.Path)
	}
	set.AddFile(c.record.Path)
	if c.rendering.Joined {
		for _, file := range c.rendering.Files {
			set.AddFile(file.Path)
		}
	}
}

func (c *candidate) now() []layout.File {
	if c.writable() {
		return c.rendering.Files
	}
	files := make([]layout.File, 0, len(c.stored))
	for _, file := range c.stored {
		files = append(files, layout.File{File: file.File, Workload: file.Place.File})
	}
	return files
}

// asStored returns the rendered files in the form of stored files.
func (p *placement) asStored() []tree.File {
	return storedForm(p.WorkPlacement, &p.rendering)
}

// isStored reports whether the store has exactly the rendered files of the placement.
func (c *candidate) isStored() bool {
	return slices.EqualFunc(c.stored, c.asStored(), func(a dedupe.File, b tree.File) bool { return sameFile(a.File, b) })
}
