package dedupe

import (
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// quoteFlux puts to the finding about it what Flux would say of objects if
// everything were written as it is wanted: Flux stops at the first clash.
func (s *session) quoteFlux(findings []finding.Finding) []finding.Finding {
	first, later := s.firstClash()
	if later == nil {
		return findings
	}
	about := slices.IndexFunc(findings, func(f finding.Finding) bool { return isAbout(f, first, later) })
	if about < 0 {
		// Nobody's fate hangs on it: both are held for something else.
		about = len(findings)
		findings = append(findings, s.finding(clash{later, first}))
	}
	findings[about].Flux = s.words(first, later)
	return findings
}

// firstClash returns the clash that kustomize meets first: it adds one file or
// directory after the other, and looks at each for itself before it holds it
// against those before.
func (s *session) firstClash() (first, later *entry) {
	before := map[kustomize.ID]*entry{}
	entries := s.everything()
	for start := 0; start < len(entries); {
		end := start + 1
		for end < len(entries) && entries[end].path == entries[start].path {
			end++
		}
		unit := entries[start:end]
		start = end
		own := map[kustomize.ID]*entry{}
		for _, e := range unit {
			if twin, twice := own[e.id.object]; twice && !s.compatible(twin, e) && !s.replaces(e, twin) {
				return twin, e
			}
			own[e.id.object] = e
		}
		for _, e := range unit {
			if other, taken := before[e.id.object]; taken && !s.compatible(other, e) {
				return other, e
			}
		}
		for _, e := range unit {
			if before[e.id.object] == nil {
				before[e.id.object] = e
			}
		}
	}
	return nil, nil
}

// replaces reports whether two objects of one path cannot both be there: only one of
// the claims to it would have its file, unless both have parts of it.
func (s *session) replaces(e, other *entry) bool {
	return e.claim() != other.claim() && e.of != nil && !s.root.Claims[e.claim()].Joined
}

// everything returns the objects of the tree with all that is wanted written, in
// the order in which kustomize meets them.
func (s *session) everything() []*entry {
	var entries []*entry
	add := func(some []*entry) {
		for _, e := range some {
			if !e.id.isPath() && !e.stake {
				entries = append(entries, e)
			}
		}
	}
	for _, some := range s.foreign.all() {
		add(some)
	}
	for i, st := range s.states {
		if st == kept || st == pinned {
			add(s.parsed[i].stored)
		} else {
			add(s.parsed[i].wanted)
		}
	}
	slices.SortFunc(entries, compareEntries)
	return entries
}

// isAbout reports whether a finding is about the clash of two entries, in either
// order.
func isAbout(f finding.Finding, a, b *entry) bool {
	if f.Rule != finding.DuplicateObject() {
		return false
	}
	other := f.Related[0].Place
	return (f.Place == a.place && other == b.place) || (f.Place == b.place && other == a.place)
}

// words asks kustomize itself about a clash. Two objects are all it needs to say
// the same as of the whole tree; where a directory with a kustomization takes
// part, it needs those before it too.
func (s *session) words(first, later *entry) string {
	var err error
	if s.hasDirectoryUpTo(later) {
		err = s.root.Cache.Units(s.root.Path, s.unitsUpTo(first, later), s.layout(wanted))
	} else {
		var files []tree.File
		if files, err = s.alone(first, later); err == nil {
			err = kustomize.Build(s.root.Path, files)
		}
	}
	if err != nil {
		return oneLine(err.Error())
	}
	return ""
}

// alone returns the files of two entries, with nothing but their objects.
func (s *session) alone(first, later *entry) ([]tree.File, error) {
	var files []tree.File
	for _, e := range []*entry{first, later} {
		single, err := kustomize.Single(e.text, e.position-1)
		if err != nil {
			return nil, err
		}
		path, _ := e.path.RelativeTo(s.root.Path)
		if len(files) > 0 && files[0].Path == path {
			files[0].Content = slices.Concat(files[0].Content, []byte("---\n"), single)
			continue
		}
		files = append(files, tree.File{Path: path, Content: single})
	}
	return files, nil
}

// hasDirectoryUpTo reports whether kustomize builds a directory before it comes to
// an entry, or with it.
func (s *session) hasDirectoryUpTo(e *entry) bool {
	path, _ := e.path.RelativeTo(s.root.Path)
	return slices.ContainsFunc(s.directories, func(d *directory) bool { return tree.Compare(d.path, path) <= 0 && s.isWanted(d) })
}

// unitsUpTo returns the units of two entries, and the directories before the
// later one.
func (s *session) unitsUpTo(first, later *entry) []tree.Path {
	last, _ := later.path.RelativeTo(s.root.Path)
	before, _ := first.path.RelativeTo(s.root.Path)
	units := []tree.Path{before, last}
	for _, d := range s.directories {
		if tree.Compare(d.path, last) < 0 && d.err == nil && s.isWanted(d) {
			units = append(units, d.path)
		}
	}
	slices.SortFunc(units, tree.Compare)
	return slices.Compact(units)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
