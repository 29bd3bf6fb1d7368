package statestore

import (
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Diff computes what turns stored into wanted. owned reports which stored paths
// may be removed when they are not wanted: everything else is foreign and
// stays, and what is unfinished of it stays so. The result is sorted, so equal
// inputs give equal changes.
func Diff(stored State, wanted []tree.File, owned func(tree.Path) bool) ChangeSet {
	changes := ChangeSet{Base: stored.Revision}
	keep := make(map[tree.Path]struct{}, len(wanted))
	for _, file := range wanted {
		keep[file.Path] = struct{}{}
		if sum, there := stored.Files.Sum(file.Path); !there || sum != stored.Contents.Sum(file.Content) {
			changes.Write = append(changes.Write, file)
		}
	}
	for path := range stored.Files.All() {
		if _, wanted := keep[path]; !wanted && owned(path) {
			changes.Remove = append(changes.Remove, path)
		}
	}
	for _, path := range stored.Unfinished {
		if _, wanted := keep[path]; !wanted && !owned(path) {
			changes.Unfinished = append(changes.Unfinished, path)
		}
	}
	tree.SortFiles(changes.Write)
	return changes
}
