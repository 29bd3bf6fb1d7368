package dedupe

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// Shared is an object that several placements want and one has in its files.
type Shared struct {
	Object kustomize.ID
	// Owners names all of them, in order.
	Owners []string
}

// stakes returns what a claim has in the tree only by another's file.
func stakes(of *owner, claim Claim, stored []*entry) []*entry {
	var stakes []*entry
	for _, shared := range claim.Shared {
		id := identity{object: shared.Object}
		if !slices.ContainsFunc(stored, func(e *entry) bool { return e.id == id }) {
			stakes = append(stakes, &entry{id: id, of: of, stake: true})
		}
	}
	return stakes
}

var (
	// errNoHolder is a stake in an object that is in no file.
	errNoHolder = errors.New("no file in the store has it")
	// errNotInFile is an object that a kustomization makes.
	errNotInFile = errors.New("it is not a document of a file")
)

// free reports whether entries of one claim could be added without a clash.
func (s *session) free(entries []*entry) bool {
	own := make(map[identity]struct{}, len(entries))
	for _, e := range entries {
		if _, twice := own[e.id]; twice {
			return false
		}
		own[e.id] = struct{}{}
		if slices.ContainsFunc(s.index.at(e.id), func(other *entry) bool { return !s.compatible(e, other) }) {
			return false
		}
	}
	return true
}

// clashes reports whether an index has entries that cannot be in one tree.
func (s *session) clashes(x *index) bool {
	for _, entries := range x.repeated {
		for i, e := range entries[1:] {
			if !s.compatible(entries[i], e) {
				return true
			}
		}
	}
	return false
}

// pinHolders finds objects that would be in no file any more, though a claim
// which is not written now has a stake in them. Who has them in its files then
// stays as it is. It reports whether there was any.
func (s *session) pinHolders() bool {
	found := false
	for id, entries := range s.index.all() {
		holder, known := s.holder[id]
		if known && s.states[holder.claim()] == admitted && !slices.ContainsFunc(entries, func(e *entry) bool { return !e.stake }) {
			s.states[holder.claim()] = pinned
			found = true
		}
	}
	return found
}

// compatible reports whether two entries of one identity can be in one tree.
func (s *session) compatible(a, b *entry) bool {
	if a.kind == leads && b.kind == leads {
		return true
	}
	if s.root.Policy != Share || a.id.isPath() || !a.isShareable() || !b.isShareable() || a.claim() == b.claim() {
		return false
	}
	x, xErr := s.meaning(a)
	y, yErr := s.meaning(b)
	return xErr == nil && yErr == nil && bytes.Equal(x, y) && s.separable(a) && s.separable(b)
}

// isShareable reports whether an entry can be one of several owners' of one object.
func (e *entry) isShareable() bool { return (e.text != nil || e.stake) && e.claim() != foreign }

// meaning returns what an entry's object says. A stake means what is in the store.
func (s *session) meaning(e *entry) ([]byte, error) {
	if e.stake {
		holder, found := s.holder[e.id]
		if !found {
			return nil, errNoHolder
		}
		e = holder
	}
	if len(e.text) == 0 {
		return nil, errNotInFile
	}
	of := s.fileOf(e)
	if of.err != nil {
		return nil, of.err
	}
	return of.meanings[e.position-1], nil
}

// textFile is what sharing needs to know of a file; it is read once.
type textFile struct {
	meanings [][]byte
	err      error
	// separable reports, for each object, whether it can be cut out.
	separable []bool
}

// fileOf reads the file that an entry is in.
func (s *session) fileOf(e *entry) *textFile {
	key := &e.text[0]
	if known, there := s.texts[key]; there {
		return known
	}
	of := &textFile{}
	of.meanings, of.err = kustomize.Canonical(e.text)
	if of.err == nil {
		of.separable, of.err = kustomize.Separable(e.text)
	}
	s.texts[key] = of
	return of
}

// separable reports whether an object can be cut out of its file.
func (s *session) separable(e *entry) bool {
	return e.stake || s.fileOf(e).separable[e.position-1]
}

// share returns, after everything is decided, the files of the claims that leave
// an object to another, and the objects that are shared.
func (s *session) share() (files map[int][]File, shared map[int][]Shared) {
	files, shared = map[int][]File{}, map[int][]Shared{}
	cuts := map[int]map[fileKey][]int{}
	for id, entries := range s.index.repeated {
		if id.isPath() {
			continue
		}
		owners := s.ownersOf(entries)
		if len(owners) < 2 {
			continue
		}
		names := make([]string, 0, len(owners))
		for _, i := range owners {
			names = append(names, s.root.Claims[i].Rank.Name)
		}
		slices.Sort(names)
		for _, i := range owners {
			shared[i] = append(shared[i], Shared{Object: id.object, Owners: names})
		}
		holder := s.chosen(entries)
		for _, e := range entries {
			if e.stake || same(e, holder) || s.states[e.claim()] != admitted {
				continue
			}
			if cuts[e.claim()] == nil {
				cuts[e.claim()] = map[fileKey][]int{}
			}
			key := fileKey{e.path, e.place.File}
			cuts[e.claim()][key] = append(cuts[e.claim()][key], e.position-1)
		}
	}
	for i, byFile := range cuts {
		files[i] = s.without(i, byFile)
	}
	for i := range shared {
		slices.SortFunc(shared[i], func(a, b Shared) int { return kustomize.Compare(a.Object, b.Object) })
	}
	return files, shared
}

// fileKey names a file of a claim, or the part of a joined one.
type fileKey struct {
	path tree.Path
	part string
}

// ownersOf returns the claims behind entries that all mean the same, in order.
func (s *session) ownersOf(entries []*entry) []int {
	var owners []int
	for _, e := range entries {
		if e.claim() != foreign && !slices.Contains(owners, e.claim()) && (e.stake || s.compatibleWithAll(e, entries)) {
			owners = append(owners, e.claim())
		}
	}
	slices.Sort(owners)
	return owners
}

func (s *session) compatibleWithAll(e *entry, entries []*entry) bool {
	return !slices.ContainsFunc(entries, func(o *entry) bool { return !same(o, e) && !s.compatible(e, o) })
}

// chosen returns the entry that stays in its file: one whose claim is not
// rewritten, else the one that is in the store already, so that nothing moves
// without need, else that of the first claim in order. It returns nil if no file has
// the object any more.
func (s *session) chosen(entries []*entry) *entry {
	var inFiles []*entry
	for _, e := range entries {
		if !e.stake {
			inFiles = append(inFiles, e)
		}
	}
	if len(inFiles) == 0 {
		return nil
	}
	return slices.MinFunc(inFiles, func(a, b *entry) int {
		return cmp.Or(
			cmp.Compare(btoi(s.states[a.claim()] == admitted), btoi(s.states[b.claim()] == admitted)),
			cmp.Compare(btoi(s.holds(b)), btoi(s.holds(a))),
			cmp.Compare(s.ranks[a.claim()], s.ranks[b.claim()]),
		)
	})
}

// holds reports whether an entry's claim has the object in its files in the store.
func (s *session) holds(e *entry) bool {
	holder, known := s.holder[e.id]
	return known && holder.claim() == e.claim()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// without returns a claim's wanted files with objects cut out of them.
func (s *session) without(i int, cuts map[fileKey][]int) []File {
	var files []File
	for _, file := range s.root.Claims[i].Wanted {
		positions, cut := cuts[fileKey{file.Path, file.Place.File}]
		if cut {
			rest, err := kustomize.Without(file.Content, positions)
			if err != nil {
				return s.root.Claims[i].Wanted // never: compatible has tried it
			}
			if rest == nil {
				continue
			}
			file.Content = rest
		}
		files = append(files, file)
	}
	return files
}
