package dedupe

import (
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
			findings[about].Flux = s.words(s.file(earlier), s.file(e))
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

// file gives the file that an entry is in.
func (s *session) file(e entry) File {
	files := s.root.Foreign
	if e.claim != foreign {
		files = s.root.Claims[e.claim].Wanted
		if s.states[e.claim] == unbuildable {
			files = s.root.Claims[e.claim].Stored
		}
	}
	i := slices.IndexFunc(files, func(f File) bool { return f.Path == e.path && f.Place.File == e.place.File })
	return files[i]
}

// words asks kustomize itself about one file, or two.
func (s *session) words(files ...File) string {
	var below []tree.File
	for i, file := range files {
		path, _ := file.Path.RelativeTo(s.root.Path)
		switch {
		case i > 0 && sameFile(files[0], file):
		case i > 0 && below[0].Path == path: // two parts of one file
			below[0].Content = slices.Concat(below[0].Content, []byte("\n---\n"), file.Content)
		default:
			below = append(below, tree.File{Path: path, Content: file.Content})
		}
	}
	if err := kustomize.Build(s.root.Path, below); err != nil {
		return oneLine(err.Error())
	}
	return ""
}

func sameFile(a, b File) bool { return a.Path == b.Path && a.Place == b.Place }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
