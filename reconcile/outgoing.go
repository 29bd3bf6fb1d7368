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

// outgoingFile is a file that is still in a store though nobody wants it any more,
// and the group that it is of; none for a file of nobody's.
type outgoingFile struct {
	dedupe.File
	of placedGroup
	// stays means that it is nobody's, and stays.
	stays bool
}

// outgoingCheck holds back what conflicts with files that are to go and have not gone
// yet, where placements are written one after the other, in any order: the rest of the
// check takes all that is wanted for written at once. What a group does not want any more
// is in no way of the same group, since each is written whole.
type outgoingCheck struct {
	*checked
	files []outgoingFile
}

// waitForOutgoing does an outgoingCheck.
func (c *checked) waitForOutgoing(ctx context.Context) error {
	if !c.store.state.Stepwise {
		return nil
	}
	for moved := range c.part.moved { // it goes once it is written elsewhere
		c.waits = append(c.waits, kratix.Describe(moved))
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
	for _, p := range waiting { // what waits still counts as written for the others
		p.state, p.reason = report.Held, waitsForOthers
		c.waits = append(c.waits, kratix.Describe(p.WorkPlacement))
	}
	return nil
}

// waitsForOthers is the reason of a placement that waits. It passes by itself, so the
// placement is not tried on other Destinations.
const waitsForOthers = "an object of it is still in the state store with a placement that gives it up"

// conflicts reports whether a placement conflicts with outgoing files of others, and adds
// the findings.
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
		if p.rendering.Joined { // the path is nobody's, and only objects can conflict
			file.Path = asideOf(root.Path, i)
		}
		root.Foreign = append(root.Foreign, file.File)
	}
	if len(root.Foreign) == 0 {
		return false
	}
	verdict := dedupe.Check(root)
	if _, held := verdict.Held[0]; !held {
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

// asideOf returns a path in a root for one of the outgoing parts of a joined file.
func asideOf(root tree.Path, i int) tree.Path {
	name, _ := tree.ParsePath(fmt.Sprintf("outgoing-%d.yaml", i)) // a plain name
	return root.Join(name)
}

// find sets the files that are in the store and will not be once everything that is
// decided is written.
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

// filesOf returns the files of a record that is to be removed.
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

// keeps reports whether a placement that is written still has a file as it is.
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

// placeOf returns the place that findings name for a file in the store: the object that
// somebody else writes it from, or the store.
func (s *situation) placeOf(path tree.Path) finding.Place {
	object := s.store.ref.String()
	if whose := s.store.state.Whose; whose != nil {
		object = cmp.Or(whose(path), object)
	}
	return finding.Place{Object: object, File: path.String()}
}

// nameOf returns what a recorded placement is named in the cluster, where that is known.
func (c *outgoingCheck) nameOf(record recordView) string {
	if object := c.placeOf(record.path).Object; object != c.store.ref.String() {
		return object
	}
	return kratix.Describe(record.Placement)
}

// How findings call a WorkPlacement that is of no placement of the round, and one that
// still has what it is to give up.
const (
	ofNoWork = "a WorkPlacement that no Work asks for"
	leaving  = "a WorkPlacement that gives it up, which Kratix has not written yet"
	changing = "a Work that gives it up, whose WorkPlacement Kratix has not written yet"
	orphaned = "a WorkPlacement whose Work is gone"
)

// ofStranger is the role of what no placement of the round has.
func ofStranger(object string) string {
	if isWorkPlacement(object) {
		return ofNoWork
	}
	return ""
}

func isWorkPlacement(object string) bool {
	return strings.HasPrefix(object, kratix.WorkPlacementKind+" ")
}

// withOwners returns findings in which the other places say whose they are, by what role
// returns for their objects; "" leaves them. Where one is an orphan, they say to delete
// it.
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
				f.Fix = "Delete " + related.Place.Object + ", whose Work is gone: nobody else does."
			}
		}
	}
	return named
}

// groupAt returns the group that a file of the store is of, by its directory or by
// what its record lists; none for a file that has parts of many.
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
