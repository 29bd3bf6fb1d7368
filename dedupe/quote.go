package dedupe

import (
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// quoteLate returns a finding with Flux's message about references or variables that it could not
// resolve, or nil.
func quoteLate(a *admission, c confirmation) []finding.Finding {
	late := slices.IndexFunc(a.directories, func(d *directory) bool {
		return d.of != nil && c.builds(d) && d.built.Late && !d.stored && a.states[d.of.at] == unbuildable
	})
	if late < 0 || a.index.hasConflict(a.copies) {
		return nil
	}
	files := a.wantedTree()
	var units []tree.Path
	for _, unit := range kustomize.Units(files) {
		units = append(units, unit.Path)
	}
	failed := a.root.Cache.Units(a.root.Path, units, files)
	if failed == nil || strings.Contains(failed.Error(), "accumulating resources") {
		return nil // the finding about this failure already quotes Flux
	}
	message := oneLine(failed)
	if slices.ContainsFunc(slices.Concat(a.broken, c.broken), func(f finding.Finding) bool { return f.Flux == message }) {
		return nil
	}
	return []finding.Finding{a.directories[late].unbuildable(a.root, failed, message)}
}

// quoteConflict adds Flux's message to the finding about the conflict at which Flux would stop if
// everything wanted were written.
func quoteConflict(a *admission, c confirmation, findings []finding.Finding) []finding.Finding {
	first, later := firstConflict(a)
	if later == nil {
		return findings
	}
	about := slices.IndexFunc(findings, func(f finding.Finding) bool { return isAbout(f, first, later) })
	if about < 0 {
		// Both claims are quarantined for another reason, and no finding is about the conflict yet.
		about = len(findings)
		findings = append(findings, conflict{later, first}.finding(a.parsed))
	}
	findings[about].Flux = messageOf(a, c, first, later)
	return findings
}

// firstConflict returns the conflict that kustomize would find first, or nil entries.
func firstConflict(a *admission) (first, later *entry) {
	before := map[kustomize.ID]*entry{}
	entries := everything(a)
	for start := 0; start < len(entries); {
		end := start + 1
		for end < len(entries) && entries[end].path == entries[start].path {
			end++
		}
		unit := entries[start:end]
		start = end
		own := map[kustomize.ID]*entry{}
		for _, e := range unit {
			if twin, twice := own[e.id.object]; twice && !a.copies.compatible(twin, e) && !replaces(a.root, e, twin) {
				return twin, e
			}
			own[e.id.object] = e
		}
		for _, e := range unit {
			if other, taken := before[e.id.object]; taken && !a.copies.compatible(other, e) {
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

// replaces reports whether the files of two entries at one path replace each other. Parts of a
// joined file do not.
func replaces(root *Root, e, other *entry) bool {
	return e.claim() != other.claim() && e.of != nil && !root.Claims[e.claim()].Joined
}

func everything(a *admission) []*entry {
	var entries []*entry
	for _, some := range a.foreign.all() {
		entries = append(entries, some...)
	}
	for i, st := range a.states {
		if st == kept || st == pinned {
			entries = append(entries, a.claims[i].stored...)
		} else {
			entries = append(entries, a.claims[i].wanted...)
		}
	}
	entries = slices.DeleteFunc(entries, func(e *entry) bool { return e.id.isPath() || e.elsewhere })
	slices.SortFunc(entries, compareEntries)
	return entries
}

func isAbout(f finding.Finding, a, b *entry) bool {
	if f.Rule != finding.DuplicateObject() {
		return false
	}
	other := f.Related[0].Place
	return (f.Place == a.place && other == b.place) || (f.Place == b.place && other == a.place)
}

// messageOf returns kustomize's own message about a conflict.
func messageOf(a *admission, c confirmation, first, later *entry) string {
	last := a.root.relativePath(later.path)
	if slices.ContainsFunc(a.directories, func(d *directory) bool { return tree.Compare(d.path, last) <= 0 && d.isWanted(a.root) }) {
		before := slices.DeleteFunc(slices.Clone(a.directories), func(d *directory) bool { return !c.builds(d) })
		units := unitsUpTo(a.root, last, before, a.root.relativePath(first.path))
		return oneLine(a.root.Cache.Units(a.root.Path, units, a.wantedTree()))
	}
	files, err := alone(a.root, first, later)
	if err == nil {
		err = kustomize.Build(a.root.Path, files)
	}
	return oneLine(err)
}

func alone(root *Root, first, later *entry) ([]tree.File, error) {
	var files []tree.File
	for _, e := range []*entry{first, later} {
		single, err := kustomize.Single(e.text, e.position-1)
		if err != nil {
			return nil, err
		}
		path := root.relativePath(e.path)
		if len(files) > 0 && files[0].Path == path {
			files[0].Content = slices.Concat(files[0].Content, []byte("---\n"), single)
			continue
		}
		files = append(files, tree.File{Path: path, Content: single})
	}
	return files, nil
}
