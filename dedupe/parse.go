package dedupe

import (
	"errors"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// parse reads the objects of files as kustomize does: those of each file, and
// what a directory with a kustomization of its own builds to. What cannot be
// read is reported to broken, if that is given.
func (s *session) parse(claim int, files []File, broken *[]finding.Finding) []entry {
	if s.root.Ignored != nil {
		files = slices.DeleteFunc(slices.Clone(files), func(f File) bool { return s.root.Ignored(f.Path) })
	}
	var entries []entry
	plain, nested := s.split(files)
	for _, file := range plain {
		if kustomize.Loads(file.Path) {
			entries = append(entries, s.parseFile(claim, file, broken)...)
		}
	}
	for _, unit := range nested {
		entries = append(entries, s.parseDirectory(claim, unit, files, broken)...)
	}
	return entries
}

// split takes directories with a kustomization of their own out of files.
func (s *session) split(files []File) (plain []File, nested []kustomize.Unit) {
	if !slices.ContainsFunc(files, func(f File) bool { return kustomize.IsKustomization(f.Path) }) {
		return files, nil
	}
	var below []tree.File
	for _, file := range files {
		path, _ := file.Path.RelativeTo(s.root.Path)
		below = append(below, tree.File{Path: path, Content: file.Content})
	}
	for _, unit := range kustomize.Units(below) {
		if unit.Nested {
			nested = append(nested, unit)
		}
	}
	within := func(f File) bool {
		path, _ := f.Path.RelativeTo(s.root.Path)
		return slices.ContainsFunc(nested, func(u kustomize.Unit) bool { return path.Within(u.Path) })
	}
	return slices.DeleteFunc(slices.Clone(files), within), nested
}

func (s *session) parseFile(claim int, file File, broken *[]finding.Finding) []entry {
	objects, err := s.root.Cache.Objects(file.Content)
	if err != nil && broken != nil {
		*broken = append(*broken, s.unbuildableFile(claim, file, err))
	}
	entries := make([]entry, 0, len(objects))
	for i, object := range objects {
		place := file.Place
		place.Line = object.Line
		entries = append(entries, entry{
			id: identity{object: object.ID}, claim: claim, path: file.Path, place: place, position: i + 1, text: file.Content, defines: object.Defines,
		})
	}
	return entries
}

// unitKey names a directory with a kustomization in a claim.
type unitKey struct {
	claim int
	path  tree.Path
}

// parseDirectory has kustomize build a directory that has a kustomization.
func (s *session) parseDirectory(claim int, unit kustomize.Unit, files []File, broken *[]finding.Finding) []entry {
	dir := s.root.Path.Join(unit.Path)
	at := slices.IndexFunc(files, func(f File) bool { return f.Path.Dir() == dir && kustomize.IsKustomization(f.Path) })
	place := files[at].Place
	if unit.Path.IsRoot() && broken != nil {
		*broken = append(*broken, finding.Finding{
			Rule: finding.HidingKustomization(), Place: place,
			Message: fmt.Sprintf("Flux would apply only what it lists of %s, and nothing of other placements", s.root.Path),
		})
	}
	objects, err := kustomize.Nested(s.root.Path, unit)
	switch {
	case err == nil:
	case broken == nil:
	case errors.Is(err, kustomize.ErrRemote):
		*broken = append(*broken, finding.Finding{Rule: finding.UncheckedKustomization(), Place: place, Message: err.Error()})
	default:
		*broken = append(*broken, finding.Finding{
			Rule: finding.UnbuildableKustomization(), Place: place, Fix: s.mend(claim, dir.String()+"/"),
			Message: fmt.Sprintf("Flux could not build %s with the kustomization in %s", s.root.Path, unit.Path),
			Flux:    oneLine(err.Error()),
		})
	}
	s.units[unitKey{claim, dir}] = unit
	entries := make([]entry, 0, len(objects))
	for i, object := range objects {
		entries = append(entries, entry{id: identity{object: object.ID}, claim: claim, path: dir, place: place, position: i + 1, defines: object.Defines})
	}
	return entries
}

// mend gives the line of .sourceignore with which Flux leaves a foreign file or
// directory out.
func (s *session) mend(claim int, path string) string {
	if claim != foreign {
		return ""
	}
	return fmt.Sprintf("Correct or remove it, or have Flux leave it out with the line /%s in the file .sourceignore at the top of the store.", path)
}
