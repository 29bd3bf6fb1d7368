// Package layout renders placements as files in the filepath mode of a Destination, and returns the
// roots that Flux builds. The paths are those of Kratix. Records of the placements are stored
// beside the files. The package does no I/O.
package layout

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// File is a file of a placement. Its path is relative to the path of the store.
type File struct {
	tree.File
	// Workload is the path of the file in the Work.
	Workload string
}

// Rendering is the files of a placement, as they are written to a store.
type Rendering struct {
	// Root is the directory that Flux builds.
	Root tree.Path
	// Dir is the directory that belongs to the placement alone. Other files in it are deleted. Dir is
	// the zero Path if the placement has no such directory.
	Dir tree.Path
	// Joined means that the files are parts of one joined file, in this order.
	Joined bool
	Files  []File
	// Shared are the objects that the placement shares with other placements.
	Shared []SharedObject
	// RolledBack are the contents of the placement that were rolled back, the latest content last.
	RolledBack []RolledBack
	// Rollout is the mark of the rollout that has written the content, or nil.
	Rollout *Rollout
	// Owner is the controller ID of the writer, or empty.
	Owner string
}

type mode struct {
	// roots returns the directories that Flux builds, in the order in which it applies them.
	roots func(base tree.Path) []tree.Path
	// render returns the files of a placement as they are in the store. The given files have their
	// paths in the Work.
	render func(d *kratix.Destination, base tree.Path, p *kratix.WorkPlacement, files []File) (Rendering, error)
}

func modes() map[string]mode {
	return map[string]mode{
		kratix.NestedByMetadata: {roots: nestedRoots, render: renderNested},
		kratix.AggregatedYAML:   {roots: wholeRoot, render: renderAggregated},
		kratix.None:             {roots: wholeRoot, render: renderFlat},
	}
}

// Modes returns the filepath modes, with the default first.
func Modes() []string { return []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} }

func wholeRoot(base tree.Path) []tree.Path { return []tree.Path{base} }

// ErrMode is the error for an unknown filepath mode.
type ErrMode string

// Error returns a message with the unknown mode and the known modes.
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

// Base returns the directory of a Destination, relative to the path of its store. The default of
// spec.path is the Destination's name. An error means that the path is invalid.
func Base(d *kratix.Destination) (tree.Path, error) {
	base, err := tree.ParseDir(cmp.Or(d.Spec.Path, d.Name))
	if err != nil {
		return base, fmt.Errorf("spec.path: %w", err)
	}
	return base, nil
}

// Roots returns the directories of a Destination that Flux builds, in the order in which it applies
// them. An error means that the mode or the path is invalid.
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

// RootName returns the path of a root relative to the directory of its Destination: "dependencies",
// "resources", or "" if that directory itself is the root.
func RootName(base, root tree.Path) string {
	below, _ := root.RelativeTo(base)
	if below.IsRoot() {
		return ""
	}
	return below.String()
}

// Render returns the files of a placement. If it returns findings, the files must not be written,
// because a group may not work without all of its files.
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
