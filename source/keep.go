package source

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// DeletedFile returns a file without objects that stands for a deleted file. It differs from an
// empty file.
func DeletedFile(rank int, name string) *ParsedFile {
	return &ParsedFile{fileKey: fileKey{rank, name}, digest: digest{failed: true}}
}

// Works returns the number of Works in the file.
func (p *ParsedFile) Works() int {
	works := 0
	for _, each := range p.claims {
		if _, is := each.object.(*kratix.Work); is {
			works++
		}
	}
	return works
}

// IsBroken reports whether the file is empty or contains something without a readable name. A
// broken file does not prove that an object was deleted.
func (p *ParsedFile) IsBroken() bool { return p.incomplete }

// Lost returns the sorted names of the objects that the collection would lose if it added the file:
// objects that no other file has, and Works that would lose a group or all workloads of a group.
func (c *Collection) Lost(file *ParsedFile) []string {
	old := c.files[file.fileKey]
	if old == nil {
		return nil
	}
	var lost []string
	present := file.objects()
	for _, each := range old.claims {
		name := each.place.Object
		object, stays := present[name]
		elsewhere := slices.ContainsFunc(c.claims[name], func(other *claim) bool { return other.file != old })
		if stays && losesGroup(each.object, object) || !stays && !elsewhere {
			lost = append(lost, name)
		}
	}
	slices.Sort(lost)
	return slices.Compact(lost)
}

// losesGroup reports whether the newer version of a Work lacks a group or all workloads of a group.
// The latter happens if the file was cut off before the workloads.
func losesGroup(before, after kratix.Object) bool {
	old, isWork := before.(*kratix.Work)
	now, stillWork := after.(*kratix.Work)
	if !isWork || !stillWork {
		return false
	}
	return slices.ContainsFunc(old.Spec.WorkloadGroups, func(group kratix.WorkloadGroup) bool {
		return !slices.ContainsFunc(now.Spec.WorkloadGroups, func(other kratix.WorkloadGroup) bool {
			return other.ID == group.ID && (len(other.Workloads) > 0 || len(group.Workloads) == 0)
		})
	})
}

// Keep returns a copy of the file with the named objects as they are in the collection's version of
// the file. For a broken file it also adds the finding that these objects are still in effect.
func (c *Collection) Keep(file *ParsedFile, names []string) *ParsedFile {
	kept := *file
	kept.claims = nil
	take := func(from *claim) {
		kept.claims = append(kept.claims, &claim{origin: from.origin, file: &kept, index: len(kept.claims)})
	}
	for _, each := range file.claims {
		if !slices.Contains(names, each.place.Object) {
			take(each)
		}
	}
	old := c.files[file.fileKey]
	for _, each := range old.claims {
		if slices.Contains(names, each.place.Object) {
			take(each)
		}
	}
	if file.IsBroken() {
		kept.findings = append(slices.Clip(file.findings), keptFinding(file, names))
		kept.rejected = union(file.rejected, old.rejected)
		// If the file is empty, its former objects are known.
		kept.incomplete, kept.empty = file.incomplete && !file.empty, false
	}
	return &kept
}

func union(a, b []kratix.Key) []kratix.Key {
	all := slices.Concat(a, b)
	slices.SortFunc(all, kratix.Key.Compare)
	return slices.Compact(all)
}

func keptFinding(file *ParsedFile, names []string) finding.Finding {
	what := "cannot be read whole"
	if file.empty {
		what = "is empty"
	}
	held := names[0]
	if more := len(names) - 1; more > 0 {
		held += fmt.Sprintf(" and %d more", more)
	}
	return finding.Finding{
		Rule: finding.KeptFromBefore(), Place: finding.Place{File: file.name},
		Message: fmt.Sprintf("the file %s; what it held before still counts: %s", what, held),
	}
}
