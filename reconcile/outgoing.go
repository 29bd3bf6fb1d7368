package reconcile

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// outgoingFile is a file in the store that will be removed or replaced. of is the group that the
// file belongs to, if it is known.
type outgoingFile struct {
	dedupe.File
	of    placedGroup
	stays bool
}

// outgoingCheck quarantines placements that conflict with outgoing files of other groups. Kratix
// writes placements one by one in any order, while the rest of the check assumes that all changes
// are written at once.
type outgoingCheck struct {
	*checked
	files []outgoingFile
}

func (c *checked) checkOutgoing(ctx context.Context) error {
	if !c.store.state.Stepwise {
		return nil
	}
	for moved := range c.plan.moved { // moved placements are removed once their new copies are written
		c.blocked = append(c.blocked, kratix.Describe(moved))
	}
	check := outgoingCheck{checked: c}
	if err := check.find(ctx); err != nil || len(check.files) == 0 {
		return err
	}
	var waiting []*candidate
	for _, p := range c.candidates {
		if p.writable() && c.holdings.action(p) != "" && check.conflicts(p) {
			waiting = append(waiting, p)
		}
	}
	for _, p := range waiting { // a blocked placement counts as written while the others are checked
		p.state, p.reason = report.HeldBack, reasonOutgoing
		c.blocked = append(c.blocked, kratix.Describe(p.WorkPlacement))
	}
	return nil
}

// reasonOutgoing is the reason of a placement that is blocked by outgoing files. Such a placement
// is not tried on other Destinations.
const reasonOutgoing = "an object of it is still in the state store with a placement that gives it up"

// conflicts reports whether a placement conflicts with outgoing files of other groups, and adds the
// findings.
func (c *outgoingCheck) conflicts(p *candidate) bool {
	claim := p.claim()
	root := dedupe.Root{
		Path: p.rendering.Root, Claims: []dedupe.Claim{claim}, Allows: c.store.limits.Allows, Ignored: c.ignored,
		Policy: dedupe.Quarantine, Cache: c.read,
	}
	staying := map[string]bool{}
	for i, file := range c.files {
		staying[file.Place.Object] = file.stays
		if file.of == groupOf(p.WorkPlacement) || !file.Path.Within(root.Path) {
			continue
		}
		if p.rendering.Joined { // parts have no path of their own, so only objects can conflict
			file.Path = temporaryPath(root.Path, i)
		}
		root.Foreign = append(root.Foreign, file.File)
	}
	if len(root.Foreign) == 0 {
		return false
	}
	verdict := dedupe.Check(root)
	if _, held := verdict.Quarantined[0]; !held {
		return false
	}
	role := func(object string) string {
		switch {
		case staying[object]:
			return ofNoWork
		case isWorkPlacement(object):
			return leaving
		case object != claim.Object && object != c.store.ref.String():
			return changing
		}
		return ""
	}
	for _, f := range c.withOwners(verdict.Findings, role) {
		if f.Place.Object == claim.Object {
			c.add(f)
		}
	}
	return true
}

func temporaryPath(root tree.Path, i int) tree.Path {
	name, _ := tree.ParsePath(fmt.Sprintf("outgoing-%d.yaml", i)) // a plain name always parses
	return root.Join(name)
}

// find sets the outgoing files, including those of the changes in this round.
func (c *outgoingCheck) find(ctx context.Context) error {
	for _, file := range c.store.state.Outgoing {
		if file.Path.Within(c.base) {
			place := c.placeOf(file.Path)
			place.Object = cmp.Or(file.Object, place.Object)
			c.files = append(c.files, outgoingFile{dedupe.File{File: file.File, Place: place}, c.groupAt(file.Path), file.Stays})
		}
	}
	for _, p := range c.candidates {
		for _, file := range p.stored {
			if p.writable() && !p.keeps(file) {
				c.files = append(c.files, outgoingFile{file, groupOf(p.WorkPlacement), false})
			}
		}
	}
	for _, record := range c.removed {
		removed, err := c.filesOf(ctx, record)
		if err != nil {
			return err
		}
		c.files = append(c.files, removed...)
	}
	return nil
}

func (c *outgoingCheck) filesOf(ctx context.Context, record recordView) (files []outgoingFile, err error) {
	for _, path := range record.Files {
		if !c.store.state.Files.Has(path) {
			continue
		}
		content, isPart := c.holdings.joined.parts[record.path]
		if !isPart {
			if content, err = c.store.state.Contents.Content(ctx, path); err != nil {
				return nil, err
			}
		}
		place := finding.Place{Object: c.nameOf(record), File: path.String()}
		files = append(files, outgoingFile{dedupe.File{File: tree.File{Path: path, Content: content}, Place: place}, groupOf(record.Placement), false})
	}
	return files, nil
}

func (c *candidate) keeps(file dedupe.File) bool {
	if c.rendering.Joined {
		return c.isStored()
	}
	for _, wanted := range c.rendering.Files {
		if wanted.Path == file.Path {
			return bytes.Equal(wanted.Content, file.Content)
		}
	}
	return false
}

// placeOf returns the place of a file in the store for findings: the WorkPlacement that the file is
// from or, if that is unknown, the store.
func (s *situation) placeOf(path tree.Path) finding.Place {
	object := s.store.ref.String()
	if whose := s.store.state.WrittenBy; whose != nil {
		object = cmp.Or(whose(path), object)
	}
	return finding.Place{Object: object, File: path.String()}
}

// nameOf returns the name of a recorded placement's WorkPlacement if it is known, or else of the
// recorded placement.
func (c *outgoingCheck) nameOf(record recordView) string {
	if object := c.placeOf(record.path).Object; object != c.store.ref.String() {
		return object
	}
	return kratix.Describe(record.Placement)
}

const (
	ofNoWork = "a WorkPlacement without a Work"
	leaving  = "a WorkPlacement that gives it up, which Kratix has not written yet"
	changing = "a Work that gives it up, whose WorkPlacement Kratix has not written yet"
	orphaned = "a WorkPlacement whose Work is gone"
)

func ofUnknownPlacement(object string) string {
	if isWorkPlacement(object) {
		return ofNoWork
	}
	return ""
}

func isWorkPlacement(object string) bool {
	return strings.HasPrefix(object, kratix.WorkPlacementKind+" ")
}

// withOwners returns the findings with descriptions of the related objects. role returns the
// description of an object, or "" for none.
func (s *situation) withOwners(found []finding.Finding, role func(object string) string) []finding.Finding {
	if !s.store.state.Stepwise {
		return found
	}
	named := slices.Clone(found)
	for i := range named {
		f := &named[i]
		f.Related = slices.Clone(f.Related)
		for j := range f.Related {
			related := &f.Related[j]
			related.Message = cmp.Or(role(related.Place.Object), related.Message)
			isOrphan := func(key kratix.Key) bool { return kratix.WorkPlacementKind+" "+key.String() == related.Place.Object }
			if slices.ContainsFunc(s.store.orphans, isOrphan) {
				related.Message = orphaned
				f.Fix = "Delete " + related.Place.Object + ", whose Work is gone: nothing else deletes it."
			}
		}
	}
	return named
}

// groupAt returns the group that a file in the store belongs to. It returns the zero group for a
// joined file, and if the group is unknown.
func (c *outgoingCheck) groupAt(path tree.Path) placedGroup {
	if joined, ok := layout.JoinedFile(c.Destination); ok && joined == path {
		return placedGroup{}
	}
	for _, p := range c.candidates {
		if !p.rendering.Dir.IsRoot() && path.Within(p.rendering.Dir) || slices.Contains(c.holdings.recordedFiles(&p.placement), path) {
			return groupOf(p.WorkPlacement)
		}
	}
	return placedGroup{}
}
