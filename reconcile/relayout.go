package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// formerFixtures returns the fixtures of the Destination's former filepath modes, without those at
// paths of current fixtures.
func formerFixtures(w *wanted) []tree.File {
	var former []tree.File
	for _, mode := range formerModes(w) {
		for _, fixture := range fixturesIn(w.Destination, mode) {
			if !slices.ContainsFunc(w.fixtures, func(f tree.File) bool { return f.Path == fixture.Path }) {
				former = append(former, fixture)
			}
		}
	}
	return former
}

// formerModes returns the former filepath modes of the Destination.
func formerModes(w *wanted) []string {
	var modes []string
	add := func(mode string) {
		if mode != w.FilepathMode() && !slices.Contains(modes, mode) {
			modes = append(modes, mode)
		}
	}
	for _, record := range w.records {
		add(record.mode)
	}
	if w.formerMode != "" {
		add(w.formerMode)
	}
	return modes
}

func outdatedFiles(w *wanted) []tree.Path {
	if !w.relayout {
		return nil
	}
	var files []tree.Path
	if w.FilepathMode() != kratix.None {
		for path, listed := range w.legacy {
			files = append(append(files, path), listed...)
		}
	}
	for i := range w.records {
		if record := &w.records[i]; w.isOutdated(record) {
			files = append(files, record.Files...)
		}
	}
	return files
}
