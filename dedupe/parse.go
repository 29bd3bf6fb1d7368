package dedupe

import (
	"errors"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// reader reads the files of a root.
type reader struct{ root Root }

// appendContents adds the files that Flux reads.
func (r *reader) appendContents(contents [][]byte, files []File) [][]byte {
	for _, file := range files {
		if kustomize.Loads(file.Path) && !kustomize.IsKustomization(file.Path) {
			contents = append(contents, file.Content)
		}
	}
	return contents
}

// parseFile reads the objects of a file as kustomize does. What Flux would
// choke on, or leave out, is added to what is found.
func (r *reader) parseFile(of *owner, file File, found *troubles) []*entry {
	read := r.root.Cache.File(file.Content)
	for _, err := range []error{read.Err, read.Late} {
		if err != nil && !found.dropped {
			found.broken = append(found.broken, r.unbuildableFile(of, file, err))
		}
	}
	entries := make([]*entry, 0, len(read.Objects))
	for i, object := range read.Objects {
		place := file.Place
		place.Line = object.Line
		r.judge(of, object, file.Path.String(), place, found)
		entries = append(entries, &entry{
			id: identity{object: object.ID}, of: of, path: file.Path, place: place, position: i + 1, text: file.Content, defines: object.Defines,
			notApplied: !object.Fate.Applied(),
		})
	}
	return entries
}

func (r *reader) unbuildableFile(of *owner, file File, err error) finding.Finding {
	place := file.Place
	var at *kustomize.FileError
	if errors.As(err, &at) {
		place.Line = at.Line
	}
	return finding.Finding{
		Rule: finding.UnbuildableFile(), Place: place,
		Message: fmt.Sprintf("Flux could not build %s with it: %s", r.root.Path, oneLine(err.Error())),
		Flux:    r.wordsAboutFile(file, err), Fix: r.mend(of, file.Path.String()),
	}
}

// wordsAboutFile returns what Flux says of a file that it cannot build.
func (r *reader) wordsAboutFile(file File, err error) string {
	if errors.Is(err, kustomize.ErrLimit) || errors.Is(err, kustomize.ErrStopped) {
		return "" // Flux was not asked
	}
	if errors.Is(err, kustomize.ErrBuild) {
		return oneLine(err.Error())
	}
	if err := kustomize.Build(r.root.Path, []tree.File{r.below(file)}); err != nil {
		return oneLine(err.Error())
	}
	return ""
}

// below returns a file as it is seen from the root.
func (r *reader) below(file File) tree.File {
	path, _ := file.Path.RelativeTo(r.root.Path)
	return tree.File{Path: path, Content: file.Content}
}

// mend returns the line of .sourceignore with which Flux leaves a foreign file or
// directory out.
func (r *reader) mend(of *owner, path string) string {
	if of != nil {
		return ""
	}
	return fmt.Sprintf("Correct or remove it, or have Flux leave it out with the line /%s in the file .sourceignore at the top of the store.", path)
}

// parse reads files of one claim: what each has, and what directories with a
// kustomization of their own build to.
func (s *session) parse(of *owner, files []File, found *troubles) []*entry {
	files = slices.DeleteFunc(slices.Clone(files), func(f File) bool { return s.root.Ignored.Has(f.Path) || s.hiding[f.Path] })
	var entries []*entry
	plain, nested := s.split(files)
	for _, file := range plain {
		if kustomize.Loads(file.Path) {
			entries = append(entries, s.parseFile(of, file, found)...)
		} else {
			s.noteOverlooked(file, found)
		}
	}
	for _, unit := range nested {
		entries = append(entries, s.parseDirectory(of, unit, files, found)...)
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
		below = append(below, s.below(file))
	}
	for _, unit := range kustomize.Units(below) {
		if unit.Nested {
			nested = append(nested, unit)
		}
	}
	within := func(f File) bool {
		path := s.below(f).Path
		return slices.ContainsFunc(nested, func(u kustomize.Unit) bool { return path.Within(u.Path) })
	}
	return slices.DeleteFunc(slices.Clone(files), within), nested
}
