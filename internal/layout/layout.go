// Package layout turns placements into the files that a Destination's filepath
// mode makes of them, and a Destination into the roots that Flux builds. The
// paths are Kratix's own, byte for byte; beside them lie the records of what
// was placed. It does no I/O.
package layout

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// File is one file of a placement. Its path is relative to the store's.
type File struct {
	tree.File
	// Workload is the file's path in the Work.
	Workload string
}

// Rendering is what a placement looks like in a store.
type Rendering struct {
	// Root is the directory which Flux builds as one and in which the files lie.
	Root tree.Path
	// Dir belongs to the placement whole: what else is in it is not wanted. If it
	// is the root of the tree, the placement has just its files.
	Dir tree.Path
	// Joined means that the files are parts of one file, in this order.
	Joined bool
	Files  []File
	// Shared are the objects that other placements have in common with this one.
	Shared []SharedObject
	// Owner is the id of who writes it, if that has one.
	Owner string
}

// mode is how one filepath mode lays out.
type mode struct {
	// roots returns what Flux builds of a Destination's directory, in the order it
	// does.
	roots func(base tree.Path) []tree.Path
	// render places a group's files, whose paths are the workloads' own.
	render func(d *kratix.Destination, base tree.Path, p *kratix.WorkPlacement, files []File) (Rendering, error)
}

// modes is the table of filepath modes.
func modes() map[string]mode {
	return map[string]mode{
		kratix.NestedByMetadata: {roots: nestedRoots, render: renderNested},
		kratix.AggregatedYAML:   {roots: wholeRoot, render: renderAggregated},
		kratix.None:             {roots: wholeRoot, render: renderFlat},
	}
}

// Modes returns the filepath modes, the default first.
func Modes() []string { return []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} }

// wholeRoot is for modes in which Flux builds the Destination's directory whole.
func wholeRoot(base tree.Path) []tree.Path { return []tree.Path{base} }

// ErrMode is a filepath mode that is not in the table.
type ErrMode string

// Error names the mode, and those there are.
func (e ErrMode) Error() string {
	return fmt.Sprintf("filepath mode %q is not known; use %s", string(e), strings.Join(Modes(), ", "))
}

func modeOf(d *kratix.Destination) (mode, error) {
	m, ok := modes()[d.FilepathMode()]
	if !ok {
		return mode{}, ErrMode(d.FilepathMode())
	}
	return m, nil
}

// Base returns the directory of a Destination, relative to its store's path. A
// Destination without a path has its name.
func Base(d *kratix.Destination) (tree.Path, error) {
	base, err := tree.ParseDir(cmp.Or(d.Spec.Path, d.Name))
	if err != nil {
		return base, fmt.Errorf("spec.path: %w", err)
	}
	return base, nil
}

// Roots returns the directories that Flux builds, each as one kustomization, in
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

// Render returns the files of a placement. What cannot be rendered is in the
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
	files, findings := decode(object, p.Spec.Workloads)
	rendering, err := m.render(d, base, p, files)
	if err != nil {
		findings = append(findings, finding.Finding{Rule: RuleOf(err), Place: finding.Place{Object: object}, Message: err.Error()})
	}
	return rendering, findings
}
