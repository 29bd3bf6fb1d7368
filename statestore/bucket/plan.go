package bucket

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const maxKey = 1024

// step is a group of changes. The server must have acknowledged all of them before the next step
// begins.
type step struct {
	write  []tree.File
	remove []tree.Path
	// final means that the step is among the last, which replace records and remove files.
	final bool
}

type conflict struct {
	why   string
	paths []tree.Path
}

func (c conflict) Error() string { return c.why }

func (c *conflict) add(path tree.Path, why string) {
	if c.why == "" {
		c.why = why
	}
	c.paths = append(c.paths, path)
}

type fileKind int

const (
	records fileKind = iota
	dependencies
	resources
)

// fileKindOf returns the kind of a file. The first known directory in its path determines the kind.
// Other files are dependencies.
func fileKindOf(path tree.Path) fileKind {
	for rest := path; !rest.IsRoot(); {
		var first string
		first, rest = rest.Cut()
		switch first {
		case ".kratix":
			return records
		case "dependencies":
			return dependencies
		case "resources":
			return resources
		}
	}
	return dependencies
}

// plan returns the steps of the changes. It returns an error if the bucket cannot store the files.
// prefix is the length of the store's prefix in bytes.
func plan(held listing, prefix int, changes statestore.ChangeSet) ([]step, error) {
	p := planner{stored: held, written: make(map[tree.Path]struct{}, len(changes.Write)), removed: map[tree.Path]struct{}{}}
	for _, file := range changes.Write {
		p.written[file.Path] = struct{}{}
	}
	for _, path := range changes.Remove {
		there := held.files.Has(path)
		if _, written := p.written[path]; there && !written {
			p.removed[path] = struct{}{}
		}
	}
	early := map[tree.Path]struct{}{}
	var conflicts conflict
	for _, file := range changes.Write {
		if len(file.Path.String())+prefix > maxKey {
			conflicts.add(file.Path, fmt.Sprintf("a key would be longer than %d bytes: that of %q", maxKey, file.Path))
		} else if why := p.makeRoom(file.Path, early); why != "" {
			conflicts.add(file.Path, why)
		}
	}
	if len(conflicts.paths) > 0 {
		return nil, conflicts
	}
	return p.steps(changes, early), nil
}

type planner struct {
	stored           listing
	written, removed map[tree.Path]struct{}
}

// makeRoom returns the reason why a file cannot be stored at path, or "". It adds the stored files
// that must be removed first to early.
func (p planner) makeRoom(path tree.Path, early map[tree.Path]struct{}) (why string) {
	if isMarkers(path) {
		return fmt.Sprintf("%q is where kratix-schedule keeps the store's revision (%s)", path, markerName)
	}
	for dir := path.Dir(); !dir.IsRoot(); dir = dir.Dir() {
		if _, written := p.written[dir]; written {
			return between(dir, path)
		}
	}
	if p.stored.files.Has(path) {
		return "" // nothing blocks a file that exists already
	}
	for dir := path.Dir(); !dir.IsRoot(); dir = dir.Dir() {
		if why := p.clear(dir, dir, path, early); why != "" {
			return why
		}
	}
	below := path.String() + "/"
	at, _ := slices.BinarySearchFunc(p.stored.entries, below, func(e entry, key string) int { return strings.Compare(e.path.String(), key) })
	for _, e := range p.stored.entries[at:] {
		if !strings.HasPrefix(e.path.String(), below) {
			break
		}
		if why := p.clear(e.path, path, e.path, early); why != "" {
			return why
		}
	}
	return ""
}

// clear adds the stored file at path to early if the changes remove it. Otherwise it returns the
// reason why the new file cannot be stored.
func (p planner) clear(path, upper, lower tree.Path, early map[tree.Path]struct{}) (why string) {
	if !p.stored.files.Has(path) {
		return ""
	}
	if _, goes := p.removed[path]; !goes {
		return between(upper, lower)
	}
	early[path] = struct{}{}
	return ""
}

func between(upper, lower tree.Path) string {
	return fmt.Sprintf("%q cannot be a file and hold %q: MinIO and others would hide or refuse one of the two", upper, lower)
}

// isMarkers reports whether a path is the path of the marker, above it or below it.
func isMarkers(path tree.Path) bool {
	s := path.String()
	return strings.HasPrefix(markerName+"/", s+"/") || strings.HasPrefix(s, markerName+"/")
}

func (p planner) steps(changes statestore.ChangeSet, early map[tree.Path]struct{}) []step {
	write := func(of fileKind, replaced bool) step {
		var files []tree.File
		for _, file := range changes.Write {
			there := p.stored.files.Has(file.Path)
			if fileKindOf(file.Path) == of && (of != records || there == replaced) {
				files = append(files, file)
			}
		}
		return step{write: files, final: of == records && replaced}
	}
	remove := func(of fileKind) step {
		var paths []tree.Path
		for _, path := range changes.Remove {
			_, goes := p.removed[path]
			if _, gone := early[path]; goes && !gone && fileKindOf(path) == of {
				paths = append(paths, path)
			}
		}
		return step{remove: paths, final: true}
	}
	ordered := []step{
		{remove: sortedPaths(early)},
		write(records, false), write(dependencies, false), write(resources, false), write(records, true),
		remove(resources), remove(dependencies), remove(records),
	}
	return slices.DeleteFunc(ordered, func(s step) bool { return len(s.write) == 0 && len(s.remove) == 0 })
}

func sortedPaths(set map[tree.Path]struct{}) []tree.Path {
	paths := make([]tree.Path, 0, len(set))
	for path := range set {
		paths = append(paths, path)
	}
	slices.SortFunc(paths, tree.Compare)
	return paths
}
