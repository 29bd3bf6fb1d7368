// Package layout turns a placement into the files that a Destination's
// filepath mode makes of it, and a Destination into the roots that Flux builds.
// The paths are Kratix's own, byte for byte; beside them lie the records of
// what was placed. It does no I/O.
package layout

import (
	"cmp"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// File is one file of a placement. Its path is relative to the store's.
type File struct {
	tree.File
	// Workload is the path that the Work gives the file.
	Workload string
}

// Rendering is what a placement looks like in a store.
type Rendering struct {
	// Root is the directory which Flux builds as one and in which the files lie.
	Root tree.Path
	// Dir belongs to the placement whole: what else is in it is not wanted.
	Dir tree.Path
	// Files are in walk order.
	Files []File
}

// mode is how one filepath mode lays out.
type mode struct {
	// dir gives the directory that a placement owns, and the root it is in.
	dir func(base tree.Path, p *kratix.WorkPlacement) (root, dir tree.Path, err error)
	// roots gives what Flux builds of a Destination, in the order it does.
	roots func(base tree.Path) []tree.Path
}

// modes is the table of filepath modes.
func modes() map[string]mode {
	return map[string]mode{
		kratix.NestedByMetadata: {dir: nestedDir, roots: nestedRoots},
	}
}

// ErrMode is a filepath mode that is not in the table.
type ErrMode string

// Error names the mode.
func (e ErrMode) Error() string {
	return fmt.Sprintf("filepath mode %q is not supported; use %s", string(e), kratix.NestedByMetadata)
}

func modeOf(d *kratix.Destination) (mode, error) {
	m, ok := modes()[d.FilepathMode()]
	if !ok {
		return mode{}, ErrMode(d.FilepathMode())
	}
	return m, nil
}

// Base gives the directory of a Destination, relative to its store's path. A
// Destination without a path has its name.
func Base(d *kratix.Destination) (tree.Path, error) {
	base, err := tree.ParseDir(cmp.Or(d.Spec.Path, d.Name))
	if err != nil {
		return base, fmt.Errorf("spec.path: %w", err)
	}
	return base, nil
}

// Roots gives the directories that Flux builds, each as one kustomization, in
// the order in which it applies them.
func Roots(d *kratix.Destination) ([]tree.Path, error) {
	m, err := modeOf(d)
	if err != nil {
		return nil, err
	}
	base, err := Base(d)
	if err != nil {
		return nil, err
	}
	return m.roots(base), nil
}

// Render gives the files of a placement. What cannot be rendered is in the
// findings; then the rendering is not to be written, since a part of a group
// may make no sense without the rest.
func Render(d *kratix.Destination, p *kratix.WorkPlacement) (Rendering, []finding.Finding) {
	object := kratix.WorkKind + " " + p.Work().String()
	m, err := modeOf(d)
	if err != nil {
		return Rendering{}, []finding.Finding{{Rule: finding.Unsupported(), Place: finding.Place{Object: kratix.Describe(d)}, Message: err.Error()}}
	}
	base, err := Base(d)
	if err != nil {
		return Rendering{}, []finding.Finding{{Rule: finding.UnsafePath(), Place: finding.Place{Object: kratix.Describe(d)}, Message: err.Error()}}
	}
	root, dir, err := m.dir(base, p)
	if err != nil {
		return Rendering{}, []finding.Finding{{Rule: finding.UnsafePath(), Place: finding.Place{Object: object}, Message: err.Error()}}
	}
	files, findings := decode(dir, object, p.Spec.Workloads)
	return Rendering{Root: root, Dir: dir, Files: files}, findings
}
