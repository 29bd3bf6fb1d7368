package layout

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// renderFlat renders a placement in mode none, in which the Destination's directory has the same
// paths as the Work.
func renderFlat(_ *kratix.Destination, base tree.Path, _ *kratix.WorkPlacement, files []File) (Rendering, error) {
	return Rendering{Root: base, Files: below(base, files)}, nil
}

// below returns copies of the files with their paths in the directory dir, sorted in walk order.
func below(dir tree.Path, files []File) []File {
	placed := slices.Clone(files)
	for i := range placed {
		placed[i].Path = dir.Join(placed[i].Path)
	}
	slices.SortFunc(placed, func(a, b File) int { return tree.Compare(a.Path, b.Path) })
	return placed
}
