package dedupe

import (
	"errors"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// confirmation is the fourth stage of a check: the states of the claims after the directories with
// a kustomization were built among the admitted files.
type confirmation struct {
	states []state
	// broken are findings about builds that fail only in the admitted tree.
	broken []finding.Finding
	failed map[*directory]bool
	// together means that the directories do not build together, and that no claim is the cause.
	together bool
}

func (c *confirmation) builds(d *directory) bool { return d.err == nil && !c.failed[d] }

// confirm updates a confirmation with the result of an admission. It reports whether another
// admission is needed.
func confirm(a *admission, before confirmation) (after confirmation, again bool) {
	c := &confirmer{admission: a, confirmation: before}
	c.confirmation.states, c.failed = slices.Clone(before.states), maps.Clone(before.failed)
	again = c.pinHolders() || len(a.directories) > 0 && c.rebuild()
	return c.confirmation, again
}

type confirmer struct {
	*admission
	confirmation
}

// pinHolders pins each claim that would drop a shared object although no other claim writes it. It
// reports whether it pinned a claim.
func (c *confirmer) pinHolders() bool {
	found := false
	for id, entries := range c.index.all() {
		holder, known := c.copies.holders[id]
		if known && c.admission.states[holder.claim()] == admitted && !slices.ContainsFunc(entries, func(e *entry) bool { return !e.elsewhere }) {
			c.confirmation.states[holder.claim()] = pinned
			found = true
		}
	}
	return found
}

// errQuarantined means that a directory builds to other objects than before, because it loads a
// quarantined file.
var errQuarantined = errors.New("it loads files of others that are held back")

// rebuild builds the directories again. It reports whether this quarantines another claim.
func (c *confirmer) rebuild() bool {
	files := layOut(c.root, c.hiding, func(i int) []File {
		if c.admission.states[i] == admitted {
			return c.root.Claims[i].Wanted
		}
		return c.root.Claims[i].Stored
	})
	present := c.present()
	for _, d := range present {
		if !d.built.Outside || !c.builds(d) {
			continue
		}
		built, err := c.root.Cache.Nested(c.root.Path, d.path, files)
		if err == nil && slices.EqualFunc(built.Objects, d.built.Objects, func(a, b kustomize.Object) bool { return a.ID == b.ID && a.Outcome == b.Outcome }) {
			continue
		}
		flux := ""
		if err == nil {
			err = errQuarantined
		} else {
			flux = oneLine(c.root.Cache.Units(c.root.Path, []tree.Path{d.path}, files))
		}
		c.failed[d] = true
		c.broken = append(c.broken, d.unbuildable(c.root, err, flux))
		if c.quarantine(d.of) {
			return true
		}
	}
	return c.buildTogether(present, files)
}

func (a *admission) present() []*directory {
	var present []*directory
	for _, d := range a.directories {
		if d.of == nil || d.stored != (a.states[d.of.at] == admitted) {
			present = append(present, d)
		}
	}
	return present
}

func (c *confirmer) quarantine(of *claimant) bool {
	if of == nil || c.admission.states[of.at] != admitted {
		return false
	}
	c.confirmation.states[of.at] = unbuildable
	return true
}

// buildTogether builds all directories at once, with the files that may refer to their objects. It
// reports whether it quarantined a claim.
func (c *confirmer) buildTogether(present []*directory, files []tree.File) bool {
	if c.together || c.index.hasConflict(c.copies) {
		return false
	}
	units, ranks := c.referring(present, files)
	if len(units) == 0 {
		return false
	}
	culprit, failed := c.firstThatFails(units, ranks, files)
	if failed == nil {
		return false
	}
	named := namedIn(failed, present)
	if culprit < 0 && named != nil && named.of != nil {
		culprit = c.rankOf(named.of) // Flux stops at this directory, before the foreign directory that does not build
	}
	for _, d := range present {
		if c.rankOf(d.of) == culprit {
			broken := d.unbuildable(c.root, failed, oneLine(failed))
			if named != nil && named != d {
				broken.Related = []finding.Related{{Place: named.place, Message: named.owner(c.root)}}
			}
			c.broken = append(c.broken, broken)
			c.together = d.of == nil
			return c.quarantine(d.of)
		}
	}
	if i := slices.Index(c.ranks, culprit); i >= 0 {
		wanted, of := c.root.Claims[i].Wanted, &claimant{i}
		if at := fileAtFault(c.root, wanted, ranks, failed); at >= 0 {
			c.broken = append(c.broken, unbuildableFile(c.root, of, wanted[at], failed))
			return c.quarantine(of)
		}
	}
	c.together = true
	return false
}

// referring returns, in walk order, the units that kustomize may change when it follows references,
// and the ranks of their claims.
func (c *confirmer) referring(present []*directory, files []tree.File) (units []tree.Path, ranks map[tree.Path]int) {
	ranks = map[tree.Path]int{}
	late := slices.ContainsFunc(files, kustomize.SetsSchema)
	for _, d := range present {
		if c.builds(d) {
			ranks[d.path] = c.rankOf(d.of)
			late = late || d.built.Late
		}
	}
	if len(ranks) == 0 {
		return nil, nil
	}
	directories := len(ranks)
	for _, entries := range c.index.all() {
		for _, e := range entries {
			if e.text != nil && !e.elsewhere && (late || kustomize.Refers(e.id.object)) {
				ranks[c.root.relativePath(e.path)] = c.rankOf(e.of)
			}
		}
	}
	if directories == 1 && len(ranks) == 1 && !late {
		return nil, nil // the only directory was already built by itself
	}
	return slices.SortedFunc(maps.Keys(ranks), tree.Compare), ranks
}

// firstThatFails builds the units together. It returns the error of the build, and the lowest rank
// whose units do not build together with the units of all lower ranks.
func (c *confirmer) firstThatFails(units []tree.Path, ranks map[tree.Path]int, files []tree.File) (rank int, failed error) {
	build := func(upTo int) error {
		var some []tree.Path
		for _, unit := range units {
			if ranks[unit] < upTo {
				some = append(some, unit)
			}
		}
		return c.root.Cache.Units(c.root.Path, some, files)
	}
	all := len(c.root.Claims) + 1
	if failed = build(all); failed == nil {
		return 0, nil
	}
	return sort.Search(all, func(upTo int) bool { return build(upTo) != nil }) - 1, failed
}

// namedIn returns the directory that an error names as the cause, or nil if it names none.
func namedIn(failed error, present []*directory) *directory {
	for _, d := range present {
		if strings.Contains(failed.Error(), "accumulating resources from './"+d.path.String()+"'") {
			return d
		}
	}
	return nil
}

// fileAtFault returns the index of the file that an error names or, if it names none, of the first
// file that was built. It returns -1 if no file was built.
func fileAtFault(root *Root, files []File, took map[tree.Path]int, failed error) int {
	first := -1
	for i, file := range files {
		path := root.relativePath(file.Path)
		if _, there := took[path]; !there {
			continue
		}
		if strings.Contains(failed.Error(), "'./"+path.String()+"'") {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}
