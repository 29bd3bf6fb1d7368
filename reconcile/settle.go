package reconcile

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/report"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// settle decides who may be written: it holds back what Flux would choke on.
func (d *desired) settle(ctx context.Context) error {
	if d.err != nil {
		return d.err
	}
	for _, dest := range d.destinations {
		for _, root := range dest.roots {
			if err := d.settleRoot(ctx, dest, root); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *desired) settleRoot(ctx context.Context, dest *desiredDestination, path tree.Path) error {
	root := dedupe.Root{Path: path}
	var claimants []*desiredPlacement
	for _, p := range dest.placements {
		if p.rendering.Root != path || p.rendering.Dir.IsRoot() {
			continue
		}
		claim, err := d.claim(ctx, p)
		if err != nil {
			return err
		}
		root.Claims = append(root.Claims, claim)
		claimants = append(claimants, p)
	}
	foreign, err := d.foreign(ctx, dest, path)
	if err != nil {
		return err
	}
	root.Foreign = foreign

	verdict := dedupe.Check(root)
	d.findings = append(d.findings, verdict.Findings...)
	for i, p := range claimants {
		if why, held := verdict.Held[i]; held && p.writable() {
			p.state, p.reason = report.Held, why
		}
	}
	return nil
}

// claim says what a placement has and wants. One that is not to be written
// wants what it has.
func (d *desired) claim(ctx context.Context, p *desiredPlacement) (dedupe.Claim, error) {
	object := kratix.WorkKind + " " + p.Work().String()
	claim := dedupe.Claim{Object: object, Owner: object, Dir: p.rendering.Dir, Rank: dedupe.Rank{Name: kratix.KeyOf(p).String()}}
	if p.from != nil {
		claim.Owner = p.from.Work.Owner()
		claim.Rank.Created = p.from.Work.CreationTimestamp.Time
	}
	wanted := map[tree.Path][]byte{}
	for _, file := range p.rendering.Files {
		wanted[file.Path] = file.Content
		place := finding.Place{Object: object, File: file.Workload}
		claim.Wanted = append(claim.Wanted, dedupe.File{File: file.File, Place: place})
	}
	for _, path := range tree.Below(d.listing, p.rendering.Dir) {
		content, err := d.content(ctx, path, wanted[path])
		if err != nil {
			return claim, err
		}
		below, _ := path.RelativeTo(p.rendering.Dir)
		place := finding.Place{Object: object, File: below.String()}
		claim.Stored = append(claim.Stored, dedupe.File{File: tree.File{Path: path, Content: content}, Place: place})
	}
	if !p.writable() {
		claim.Wanted = claim.Stored
	}
	return claim, nil
}

// content gives what is stored at a path; guess spares the fetch when it is
// right.
func (d *desired) content(ctx context.Context, path tree.Path, guess []byte) ([]byte, error) {
	if guess != nil && d.state.Contents.Sum(guess) == d.state.Files[path] {
		return guess, nil
	}
	return d.state.Contents.Content(ctx, path)
}

// foreign gives the files below a root that belong to no placement: other
// tools', people's, and the Destination's own fixtures.
func (d *desired) foreign(ctx context.Context, dest *desiredDestination, root tree.Path) ([]dedupe.File, error) {
	claimed := dest.claimed()
	var files []dedupe.File
	for _, path := range tree.Below(d.listing, root) {
		if claimed.Has(path) {
			continue
		}
		content, err := d.state.Contents.Content(ctx, path)
		if err != nil {
			return nil, err
		}
		place := finding.Place{Object: d.ref.String(), File: path.String()}
		files = append(files, dedupe.File{File: tree.File{Path: path, Content: content}, Place: place})
	}
	for _, fixture := range dest.fixtures {
		if _, there := d.state.Files[fixture.Path]; !there && fixture.Path.Within(root) {
			place := finding.Place{Object: kratix.Describe(dest.Destination), File: fixture.Path.String()}
			files = append(files, dedupe.File{File: fixture, Place: place})
		}
	}
	return files, nil
}

// claimed gives what is, or was until this round, some placement's.
func (dest *desiredDestination) claimed() *tree.Set {
	var claimed tree.Set
	for _, p := range dest.placements {
		if !p.rendering.Dir.IsRoot() {
			claimed.AddDir(p.rendering.Dir)
		}
	}
	for _, record := range dest.removed {
		record.addTo(&claimed)
	}
	return &claimed
}
