package reconcile

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// blockedBy returns the file or obstacle in the store that is at dir or at one of its parents.
func (s *situation) blockedBy(dir tree.Path) (at tree.Path, kind string, blocked bool) {
	for at = dir; !at.IsRoot(); at = at.Dir() {
		if kind, there := s.store.state.Obstacles.At(at); there {
			return at, kind, true
		}
		if s.store.state.Files.Has(at) {
			return at, "a file", true
		}
	}
	return at, "", false
}

// filledBy returns the object in the store that keeps a file from being written at a path.
func (s *situation) filledBy(p tree.Path) (at tree.Path, kind string, filled bool) {
	if at, kind, blocked := s.blockedBy(p.Dir()); blocked {
		return at, kind, true
	}
	for obstacle := range s.store.state.Obstacles.Below(p) {
		return obstacle.Path, obstacle.Kind, true
	}
	for path := range s.store.state.Files.Below(p) {
		if path != p {
			return path, "a file", true
		}
	}
	return p, "", false
}

// quarantineBlocked quarantines the placements whose root, joined file or record cannot be written
// because of another object in the store. It also drops the blocked fixtures.
func (c *checked) quarantineBlocked() {
	for _, root := range c.roots {
		if at, kind, blocked := c.blockedBy(root); blocked {
			c.reportBlocked(root, at, kind)
			c.quarantineAll(func(p *candidate) bool { return p.rendering.Root == root }, at, kind)
		}
	}
	if joined, is := layout.JoinedFile(c.Destination); is {
		if at, kind, filled := c.filledBy(joined); filled {
			c.reportBlocked(joined, at, kind)
			c.quarantineAll(func(*candidate) bool { return true }, at, kind)
		}
	}
	if records, err := layout.RecordsDir(c.Destination); err == nil {
		if at, kind, blocked := c.blockedBy(records); blocked {
			c.reportBlocked(records, at, kind)
			c.quarantineAll(func(*candidate) bool { return true }, at, kind)
		}
	}
	for _, p := range c.candidates {
		if !p.writable() || c.store.state.Files.Has(p.record.Path) {
			continue
		}
		if at, kind, filled := c.filledBy(p.record.Path); filled {
			c.reportBlocked(p.record.Path, at, kind)
			p.quarantine(fmt.Sprintf("%s is %s in the store, so its record cannot be written", at, kind))
		}
	}
	c.fixtures = slices.DeleteFunc(slices.Clone(c.fixtures), c.isBlockedFixture)
}

func (c *checked) quarantineAll(which func(*candidate) bool, at tree.Path, kind string) {
	for _, p := range c.candidates {
		if p.writable() && which(p) {
			p.quarantine(fmt.Sprintf("%s is %s in the store", at, kind))
		}
	}
}

func (c *checked) reportBlocked(wanted, at tree.Path, kind string) {
	message := fmt.Sprintf("%s cannot be written: %s is %s in the store, which belongs to no placement", wanted, at, kind)
	if wanted == at {
		message = fmt.Sprintf("%s cannot be written: it is %s in the store, which belongs to no placement", wanted, kind)
	}
	c.add(finding.Finding{
		Rule: finding.PathTaken(), Place: finding.Place{Object: kratix.Describe(c.Destination)}, Message: message,
		Related: []finding.Related{{Place: finding.Place{Object: c.store.ref.String(), File: at.String()}, Message: kind}},
		Fix:     fmt.Sprintf("Remove %s from the store, or give the Destination another path.", at),
	})
}

// isBlockedFixture reports whether a fixture, such as a canary, cannot be written. It adds a
// finding, unless the whole directory of the file is blocked.
func (c *checked) isBlockedFixture(fixture tree.File) bool {
	if why, fits := c.store.limits.Fits(fixture.Path); !fits {
		c.add(finding.Finding{
			Rule: finding.UnstorablePath(), Place: finding.Place{Object: kratix.Describe(c.Destination)}, Message: "of its own files: " + why,
			Fix: "Shorten the path of the Destination or of its store.",
		})
		return true
	}
	at, kind, filled := c.filledBy(fixture.Path)
	if _, _, root := c.blockedBy(fixture.Path.Dir()); filled && !root {
		c.reportBlocked(fixture.Path, at, kind)
	}
	return filled
}

// obstacles returns the obstacles below a root that block wanted files.
func (c *rootCheck) obstacles(root tree.Path) []dedupe.Obstacle {
	var found []dedupe.Obstacle
	var files, dirs tree.Set
	known := false
	for o := range c.store.state.Obstacles.Below(root) {
		if !known {
			files, dirs = c.wantedPaths(root)
			known = true
		}
		inTheWay := dirs.Has(o.Path)
		for at := o.Path; !inTheWay && !at.IsRoot(); at = at.Dir() {
			inTheWay = files.Has(at)
		}
		if inTheWay {
			place := finding.Place{Object: c.store.ref.String(), File: o.Path.String()}
			found = append(found, dedupe.Obstacle{Path: o.Path, Kind: o.Kind, Place: place})
		}
	}
	return found
}

func (c *rootCheck) wantedPaths(root tree.Path) (files, dirs tree.Set) {
	for _, p := range c.candidates {
		if p.rendering.Root != root || !p.writable() {
			continue
		}
		for _, file := range p.rendering.Files {
			files.AddFile(file.Path)
			for dir := file.Path.Dir(); !dir.IsRoot(); dir = dir.Dir() {
				dirs.AddFile(dir)
			}
		}
	}
	return files, dirs
}

// reportAlike reports paths that differ only in case from a path of another placement, or from a
// foreign file.
func reportAlike(c *checked, foreign []dedupe.File) {
	var paths []tree.Path
	var places []finding.Place
	add := func(path tree.Path, place finding.Place) { paths, places = append(paths, path), append(places, place) }
	for _, file := range foreign {
		add(file.Path, file.Place)
		c.unfolded = c.unfolded || !file.Path.IsFolded()
	}
	for _, p := range c.candidates {
		switch {
		case p.rendering.Joined || p.state != report.Placed:
		case !p.rendering.Dir.IsRoot():
			add(p.rendering.Dir, finding.Place{Object: p.object()})
		default:
			for _, file := range p.rendering.Files {
				add(file.Path, finding.Place{Object: p.object(), File: file.Workload})
			}
		}
	}
	alike := tree.CaseCollisions(paths)
	for i, place := range places {
		other, is := alike[i]
		if !is || places[other].Object == place.Object {
			continue // paths of one placement are compared when it is rendered
		}
		c.add(finding.Finding{
			Rule: finding.PathsDifferOnlyInCase(), Place: place,
			Message: fmt.Sprintf("%s and %s are one on some file systems", paths[i], paths[other]),
			Related: []finding.Related{{Place: places[other], Message: paths[other].String()}},
		})
	}
}
