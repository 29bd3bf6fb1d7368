package source

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// DeletedFile returns a ParsedFile that stands for a deleted file.
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

// IsBroken reports whether the file is empty, or may have objects that cannot be read.
func (p *ParsedFile) IsBroken() bool { return p.incomplete }

// Lost returns the sorted names of the objects that adding the file would remove, and of the Works
// that would lose a group or all files of a group.
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

// losesGroup reports whether a Work loses a group, or all files of a group, if after replaces
// before.
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

// Keep returns a copy of the file with the former definitions of the named objects. If the file is
// broken, the copy has a finding about them.
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
		// An empty file does not make the copy incomplete, because its former objects are known.
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
