package tree

import "slices"

// File is a path with its content. Several stages may use the content, so it must not be modified.
type File struct {
	Path    Path
	Content []byte
}

// SortFiles sorts files by path, using Compare.
func SortFiles(files []File) {
	slices.SortFunc(files, func(a, b File) int { return Compare(a.Path, b.Path) })
}
