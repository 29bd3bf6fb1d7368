package layout

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// renderFlat is mode none: files lie in the Destination's directory by the
// paths that they have in the Work. Which file is whose, only the records say.
func renderFlat(_ *kratix.Destination, base tree.Path, _ *kratix.WorkPlacement, files []File) (Rendering, error) {
	return Rendering{Root: base, Files: below(base, files)}, nil
}

// below puts files under a directory, in walk order.
func below(dir tree.Path, files []File) []File {
	placed := slices.Clone(files)
	for i := range placed {
		placed[i].Path = dir.Join(placed[i].Path)
	}
	slices.SortFunc(placed, func(a, b File) int { return tree.Compare(a.Path, b.Path) })
	return placed
}
