package reconcile

import (
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// hold keeps a placement from being written because of a clash.
func (p *desiredPlacement) hold(why string) { p.state, p.reason, p.clashes = report.Held, why, true }

// object names the placement's Work.
func (p *desiredPlacement) object() string { return kratix.WorkKind + " " + p.Work().String() }

// claim says what a placement has and wants.
func (p *desiredPlacement) claim() dedupe.Claim {
	claim := dedupe.Claim{
		Object: p.object(), Owner: p.object(), Dir: p.rendering.Dir, Joined: p.rendering.Joined,
		Stored: p.stored, Kept: !p.writable() && p.leaving == nil, Rank: dedupe.Rank{Name: kratix.KeyOf(p).String()},
	}
	if p.from != nil {
		claim.Owner = p.from.Work.Owner()
		claim.Rank.Created = p.from.Work.CreationTimestamp.Time
	}
	if p.writable() {
		claim.Wanted = p.wanted()
	}
	return claim
}

// wanted returns a placement's files with the places that findings name.
func (p *desiredPlacement) wanted() []dedupe.File {
	files := make([]dedupe.File, 0, len(p.rendering.Files))
	for _, file := range p.rendering.Files {
		files = append(files, dedupe.File{File: file.File, Place: finding.Place{Object: p.object(), File: file.Workload}})
	}
	return files
}

// addTo puts what a placement has, or may have, to itself into a set.
func (p *desiredPlacement) addTo(set *tree.Set) {
	if !p.rendering.Dir.IsRoot() {
		set.AddDir(p.rendering.Dir)
	}
	for _, file := range p.stored {
		set.AddFile(file.Path)
	}
	set.AddFile(p.record.Path)
	if p.rendering.Joined {
		for _, file := range p.rendering.Files {
			set.AddFile(file.Path)
		}
	}
}
