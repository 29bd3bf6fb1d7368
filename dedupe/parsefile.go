package dedupe

import (
	"errors"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func appendContents(contents [][]byte, files []File) [][]byte {
	for _, file := range files {
		if kustomize.Loads(file.Path) && !kustomize.IsKustomization(file.Path) {
			contents = append(contents, file.Content)
		}
	}
	return contents
}

// parseFile returns the objects of a file as kustomize reads them. It adds findings about the parts
// that Flux would reject or leave out. found may be nil.
func parseFile(root *Root, of *claimant, file File, found *fileFindings) []*entry {
	if !kustomize.Loads(file.Path) {
		found.noteOverlooked(root, file)
		return nil
	}
	read := root.Cache.File(file.Content)
	for _, err := range []error{read.Err, read.Late} {
		if err != nil && found != nil {
			found.broken = append(found.broken, unbuildableFile(root, of, file, err))
		}
	}
	entries := make([]*entry, 0, len(read.Objects))
	for i, object := range read.Objects {
		place := file.Place
		place.Line = object.Line
		found.addObject(root, of, object, file.Path.String(), place)
		e := newObject(of, object, file.Path, place, i+1)
		e.text = file.Content
		entries = append(entries, e)
	}
	return entries
}

func unbuildableFile(root *Root, of *claimant, file File, err error) finding.Finding {
	place := file.Place
	var at *kustomize.FileError
	if errors.As(err, &at) {
		place.Line = at.Line
	}
	return finding.Finding{
		Rule: finding.UnbuildableFile(), Place: place,
		Message: fmt.Sprintf("Flux could not build %s with it: %s", root.Path, oneLine(err)),
		Flux:    quoteFile(root, file, err), Fix: foreignFix(of, file.Path.String()),
	}
}

// quoteFile returns Flux's message about a file that it cannot build, or "" if the file exceeds the
// limits or the check was stopped.
func quoteFile(root *Root, file File, err error) string {
	switch {
	case errors.Is(err, kustomize.ErrLimit) || errors.Is(err, kustomize.ErrStopped):
		return ""
	case errors.Is(err, kustomize.ErrBuild):
		return oneLine(err)
	}
	return oneLine(kustomize.Build(root.Path, []tree.File{root.relative(file)}))
}
