package tree

import "slices"

// File is a path with its content. The content must not be modified.
type File struct {
	Path    Path
	Content []byte
}

// SortFiles sorts files by path, in the order of Compare.
func SortFiles(files []File) {
	slices.SortFunc(files, func(a, b File) int { return Compare(a.Path, b.Path) })
}
