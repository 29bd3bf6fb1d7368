package dedupe

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// directory is a directory with a kustomization of its own, in the files of one
// claim.
type directory struct {
	of *owner
	// path is relative to the root.
	path  tree.Path
	place finding.Place
	// stored means that it is what the store has, not what is wanted.
	stored bool
	built  kustomize.Nested
	err    error
}

// parseDirectory has kustomize build a directory that has a kustomization,
// among everything that is wanted.
func (s *session) parseDirectory(of *owner, unit kustomize.Unit, files []File, found *troubles) []*entry {
	dir := s.root.Path.Join(unit.Path)
	at := slices.IndexFunc(files, func(f File) bool { return f.Path.Dir() == dir && kustomize.IsKustomization(f.Path) })
	d := &directory{of: of, path: unit.Path, place: files[at].Place, stored: of != nil && found.dropped}
	if d.err = found.beyond; d.err != nil {
		s.directories = append(s.directories, d)
		return nil // the claim is held back in any case, and each of its directories may take as much
	}
	d.built, d.err = s.root.Cache.Nested(s.root.Path, d.path, s.layout(wanted))
	if d.err != nil && !found.dropped {
		s.unquoted = append(s.unquoted, d)
		found.broken = append(found.broken, s.unbuildableDirectory(d, d.err, ""))
		if of != nil && kustomize.IsBounds(d.err) {
			found.beyond = d.err
		}
	}
	s.directories = append(s.directories, d)
	entries := make([]*entry, 0, len(d.built.Objects))
	for i, object := range d.built.Objects {
		s.judge(of, object, dir.String()+"/", d.place, found)
		entries = append(entries, &entry{
			id: identity{object: object.ID}, of: of, path: dir, place: d.place, position: i + 1, defines: object.Defines, notApplied: !object.Fate.Applied(),
		})
	}
	return entries
}

// quoteDirectories completes the findings once all directories are known.
func (s *session) quoteDirectories() {
	for _, d := range s.unquoted {
		if kustomize.IsBounds(d.err) {
			continue // to quote Flux would take as much again
		}
		for i := range s.found.broken {
			if f := &s.found.broken[i]; f.Rule == finding.UnbuildableKustomization() && f.Place == d.place {
				f.Flux = s.wordsAboutDirectory(d)
			}
		}
	}
}

// quoteLate adds what Flux says of a directory whose references or variables lead
// nowhere, if its claim is held back for what Flux would only come to after those.
func (s *session) quoteLate() {
	var late []*directory
	for _, d := range s.directories {
		if d.of != nil && d.err == nil && d.built.Late && !d.stored && s.states[d.of.at] == unbuildable {
			late = append(late, d)
		}
	}
	if len(late) == 0 || s.clashes(s.index) {
		return
	}
	files := s.layout(wanted)
	var units []tree.Path
	for _, unit := range kustomize.Units(files) {
		units = append(units, unit.Path)
	}
	failed := s.root.Cache.Units(s.root.Path, units, files)
	if failed == nil || strings.Contains(failed.Error(), "accumulating resources") {
		return // what Flux comes to before is quoted where it is found
	}
	words := oneLine(failed.Error())
	if slices.ContainsFunc(s.found.broken, func(f finding.Finding) bool { return f.Flux == words }) {
		return
	}
	s.found.broken = append(s.found.broken, s.unbuildableDirectory(late[0], failed, words))
}

func (s *session) unbuildableDirectory(d *directory, err error, words string) finding.Finding {
	if errors.Is(err, kustomize.ErrRemote) {
		return finding.Finding{Rule: finding.UncheckedKustomization(), Place: d.place, Message: err.Error()}
	}
	message := fmt.Sprintf("Flux could not build %s with the kustomization in %s", s.root.Path, d.path)
	if kustomize.IsBounds(err) {
		message = fmt.Sprintf("whether Flux could build %s with the kustomization in %s is not known: %s", s.root.Path, d.path, oneLine(err.Error()))
	}
	return finding.Finding{
		Rule: finding.UnbuildableKustomization(), Place: d.place, Fix: s.mend(d.of, s.root.Path.Join(d.path).String()+"/"), Message: message, Flux: words,
	}
}

// wordsAboutDirectory returns what Flux says of a directory: what comes before it
// may matter only if it has a kustomization too.
func (s *session) wordsAboutDirectory(d *directory) string {
	units := []tree.Path{d.path}
	for _, other := range s.directories {
		if tree.Compare(other.path, d.path) < 0 && other.err == nil && s.isWanted(other) && !slices.Contains(units, other.path) {
			units = append(units, other.path)
		}
	}
	slices.SortFunc(units, tree.Compare)
	if err := s.root.Cache.Units(s.root.Path, units, s.layout(wanted)); err != nil {
		return oneLine(err.Error())
	}
	return ""
}

// isWanted reports whether a directory is there if everything is as it is wanted.
func (s *session) isWanted(d *directory) bool {
	return d.of == nil || d.stored == s.root.Claims[d.of.at].Kept
}

// which is one of the trees that a kustomization can be built in.
type which int

const (
	// wanted is everything as it is wanted.
	wanted which = iota
	// decided is what the store has once the decision is carried out.
	decided
)

// layout returns a tree's files, relative to the root.
func (s *session) layout(of which) []tree.File {
	if of == wanted && s.laidOut != nil {
		return s.laidOut
	}
	var files []tree.File
	joined := map[tree.Path]int{}
	add := func(some []File) {
		for _, file := range some {
			if s.root.Ignored.Has(file.Path) || s.hiding[file.Path] {
				continue
			}
			if at, there := joined[file.Path]; there {
				files[at].Content = slices.Concat(files[at].Content, []byte("\n---\n"), file.Content)
				continue
			}
			joined[file.Path] = len(files)
			files = append(files, s.below(file))
		}
	}
	add(s.root.Foreign)
	for i := range s.root.Claims {
		claim := &s.root.Claims[i]
		switch {
		case of == wanted:
			add(claim.now())
		case s.states[i] == admitted:
			add(claim.Wanted)
		default:
			add(claim.Stored)
		}
	}
	tree.SortFiles(files)
	if of == wanted {
		s.laidOut = files
	}
	return files
}

// holdDirectories looks at directories once more, now that it is known what is
// held back: what they load may not be there, and what each builds to alone may
// fail once they are together. It reports whether another claim is held for it.
func (s *session) holdDirectories() bool {
	if len(s.directories) == 0 {
		return false
	}
	files := s.layout(decided)
	for _, d := range s.present() {
		if !d.built.Outside || d.err != nil {
			continue
		}
		built, err := s.root.Cache.Nested(s.root.Path, d.path, files)
		if err == nil && slices.EqualFunc(built.Objects, d.built.Objects, func(a, b kustomize.Object) bool { return a.ID == b.ID && a.Fate == b.Fate }) {
			continue
		}
		words := ""
		if err == nil {
			err = errHeldBack
		} else if told := s.root.Cache.Units(s.root.Path, []tree.Path{d.path}, files); told != nil {
			words = oneLine(told.Error())
		}
		d.err = err
		s.found.broken = append(s.found.broken, s.unbuildableDirectory(d, err, words))
		if s.hold(d.of) {
			return true
		}
	}
	return s.holdTogether(files)
}

// errHeldBack is a directory that builds, though to something else than was
// looked at.
var errHeldBack = errors.New("it loads files of others that are held back")

// hold sets a claim aside that was admitted.
func (s *session) hold(of *owner) bool {
	if of == nil || s.states[of.at] != admitted {
		return false
	}
	s.states[of.at] = unbuildable
	return true
}

// present returns the directories that are in the tree as it is decided.
func (s *session) present() []*directory {
	var present []*directory
	for _, d := range s.directories {
		if d.of == nil || d.stored != (s.states[d.of.at] == admitted) {
			present = append(present, d)
		}
	}
	return present
}

// holdTogether has kustomize build all directories at once, with everything
// that may refer to what they rename. It holds the claim without which they
// build, and reports whether there is one.
func (s *session) holdTogether(files []tree.File) bool {
	if s.together || s.clashes(s.index) {
		return false // Flux fails anyway, and is quoted about that
	}
	units, owners := s.referring(files)
	if len(units) == 0 {
		return false
	}
	culprit, failed := s.firstThatFails(units, owners, files)
	if failed == nil {
		return false
	}
	named := s.namedIn(failed)
	if culprit < 0 && named != nil && named.of != nil {
		culprit = s.rankOf(named.of) // Flux stops there before it comes to what fails anyway
	}
	for _, d := range s.present() {
		if s.rankOf(d.of) == culprit {
			broken := s.unbuildableDirectory(d, failed, oneLine(failed.Error()))
			if named != nil && named != d {
				broken.Related = []finding.Related{{Place: named.place, Message: s.ownerOf(named)}}
			}
			s.found.broken = append(s.found.broken, broken)
			s.together = d.of == nil
			return s.hold(d.of)
		}
	}
	if i := slices.Index(s.ranks, culprit); i >= 0 {
		if at := s.atFault(s.root.Claims[i].Wanted, owners, failed); at >= 0 {
			s.found.broken = append(s.found.broken, s.unbuildableFile(&owner{i}, s.root.Claims[i].Wanted[at], failed))
			return s.hold(&owner{i})
		}
	}
	s.together = true
	return false
}

// firstThatFails builds units together, and returns why that fails, and the rank of the
// first claim, in order, with which it does: who comes before stays.
func (s *session) firstThatFails(units []tree.Path, owners map[tree.Path]int, files []tree.File) (rank int, failed error) {
	build := func(upTo int) error {
		var some []tree.Path
		for _, unit := range units {
			if owners[unit] < upTo {
				some = append(some, unit)
			}
		}
		return s.root.Cache.Units(s.root.Path, some, files)
	}
	all := len(s.root.Claims) + 1
	if failed = build(all); failed == nil {
		return 0, nil
	}
	return sort.Search(all, func(upTo int) bool { return build(upTo) != nil }) - 1, failed
}

// ownerOf returns who brings a directory.
func (s *session) ownerOf(d *directory) string {
	if d.of == nil {
		return "a directory in the store that belongs to no placement"
	}
	return s.root.Claims[d.of.at].Owner
}

// namedIn returns the directory that an error says Flux stops at; nil if it names
// none.
func (s *session) namedIn(failed error) *directory {
	for _, d := range s.present() {
		if strings.Contains(failed.Error(), "accumulating resources from './"+d.path.String()+"'") {
			return d
		}
	}
	return nil
}

// atFault finds, among files, the one that an error is about: the one that it
// names, else the first that took part.
func (s *session) atFault(files []File, took map[tree.Path]int, failed error) int {
	first := -1
	for i, file := range files {
		path := s.below(file).Path
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

// referring returns what takes part when kustomize follows references, in walk
// order, and how late whose it is comes: directories, and files with objects
// that may refer to theirs. It is everything where a variable may stand for
// anything, or where a kustomization sets the schema for what comes after it.
func (s *session) referring(files []tree.File) (units []tree.Path, owners map[tree.Path]int) {
	owners = map[tree.Path]int{}
	late := slices.ContainsFunc(files, kustomize.SetsSchema)
	for _, d := range s.present() {
		if d.err == nil {
			owners[d.path] = s.rankOf(d.of)
			late = late || d.built.Late
		}
	}
	if len(owners) == 0 {
		return nil, nil
	}
	directories := len(owners)
	for _, entries := range s.index.all() {
		for _, e := range entries {
			if e.text != nil && !e.stake && (late || kustomize.Refers(e.id.object.Kind)) {
				below, _ := e.path.RelativeTo(s.root.Path)
				owners[below] = s.rankOf(e.of)
			}
		}
	}
	if directories == 1 && len(owners) == 1 && !late {
		return nil, nil // it was built alone
	}
	for path := range owners {
		units = append(units, path)
	}
	slices.SortFunc(units, tree.Compare)
	return units, owners
}

// rankOf returns the place of a claim in the order of admission; what belongs to
// no placement comes before all.
func (s *session) rankOf(of *owner) int {
	if of == nil {
		return -1
	}
	return s.ranks[of.at]
}
