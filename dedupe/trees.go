package dedupe

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// layOut returns the files of a root, relative to it, if each claim has the files that
// filesOf returns. Without those that Flux does not fetch, and without hiding
// kustomizations.
func layOut(root *Root, hiding map[tree.Path]bool, filesOf func(claim int) []File) []tree.File {
	var files []tree.File
	joined := map[tree.Path]int{}
	add := func(some []File) {
		for _, file := range some {
			if root.Ignored.Has(file.Path) || hiding[file.Path] {
				continue
			}
			if at, there := joined[file.Path]; there {
				files[at].Content = slices.Concat(files[at].Content, []byte("\n---\n"), file.Content)
				continue
			}
			joined[file.Path] = len(files)
			files = append(files, root.relative(file))
		}
	}
	add(root.Foreign)
	for i := range root.Claims {
		add(filesOf(i))
	}
	tree.SortFiles(files)
	return files
}
