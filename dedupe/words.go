package dedupe

import (
	"bytes"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// quoteFlux puts to the finding about it what Flux would say if everything were
// written as it is wanted: Flux stops at the first clash in walk order. The two
// files of that clash are all kustomize needs to say the same.
func (s *session) quoteFlux(findings []finding.Finding) {
	if !slices.ContainsFunc(findings, func(f finding.Finding) bool { return f.Rule == finding.DuplicateObject() }) {
		return
	}
	first := map[kustomize.ID]entry{}
	for _, e := range s.everything() {
		if e.id.isPath() {
			continue
		}
		if e.stake {
			continue
		}
		earlier, clash := first[e.id.object]
		if clash && s.compatible(earlier, e) {
			continue
		}
		if !clash {
			first[e.id.object] = e
			continue
		}
		about := slices.IndexFunc(findings, func(f finding.Finding) bool { return isAbout(f, earlier, e) })
		if about >= 0 {
			findings[about].Flux = s.words(slices.Concat(s.source(earlier), s.source(e))...)
		}
		return
	}
}

// isAbout tells whether a finding is about the clash of two entries, in either
// order.
func isAbout(f finding.Finding, a, b entry) bool {
	if f.Rule != finding.DuplicateObject() {
		return false
	}
	other := f.Related[0].Place
	return (f.Place == a.place && other == b.place) || (f.Place == b.place && other == a.place)
}

// everything is the tree with all that can be built written, in walk order.
func (s *session) everything() []entry {
	entries := s.index.all()
	for i, st := range s.states {
		if st != waiting {
			continue
		}
		entries = slices.DeleteFunc(entries, func(e entry) bool { return e.claim == i })
		entries = append(entries, s.parsed[i].wanted...)
	}
	slices.SortFunc(entries, compareEntries)
	return entries
}

// source gives what an entry's object is in: its file, or all files of a
// directory with a kustomization of its own.
func (s *session) source(e entry) []File {
	if e.text == nil {
		var files []File
		for _, file := range s.units[unitKey{e.claim, e.path}].Files {
			files = append(files, File{File: tree.File{Path: s.root.Path.Join(file.Path), Content: file.Content}})
		}
		return files
	}
	return []File{{File: tree.File{Path: e.path, Content: e.text}, Place: finding.Place{Object: e.place.Object, File: e.place.File}}}
}

// words asks kustomize itself about a few files.
func (s *session) words(files ...File) string {
	var below []tree.File
	for i, file := range files {
		path, _ := file.Path.RelativeTo(s.root.Path)
		at := slices.IndexFunc(below, func(f tree.File) bool { return f.Path == path })
		switch {
		case at < 0:
			below = append(below, tree.File{Path: path, Content: file.Content})
		case slices.ContainsFunc(files[:i], func(f File) bool { return sameFile(f, file) }):
		default: // two parts of one file
			below[at].Content = slices.Concat(below[at].Content, []byte("\n---\n"), file.Content)
		}
	}
	if err := kustomize.Build(s.root.Path, below); err != nil {
		return oneLine(err.Error())
	}
	return ""
}

func sameFile(a, b File) bool {
	return a.Path == b.Path && a.Place == b.Place && bytes.Equal(a.Content, b.Content)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
