package statestore

import (
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Diff returns the changes from the stored files to the wanted ones. It removes a stored file that
// is not wanted if owned returns true for it. Write and Remove are in walk order.
func Diff(stored State, wanted []tree.File, owned func(tree.Path) bool) ChangeSet {
	changes := ChangeSet{Base: stored.Revision}
	keep := make(map[tree.Path]struct{}, len(wanted))
	for _, file := range wanted {
		keep[file.Path] = struct{}{}
		if sum, there := stored.Files.Digest(file.Path); !there || sum != stored.Contents.Digest(file.Content) {
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
