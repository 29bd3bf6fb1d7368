package tree

import "slices"

// File is a path and the bytes there. Whoever holds a File must not change its
// Content: it is shared between stages.
type File struct {
	Path    Path
	Content []byte
}

// SortFiles orders files by Compare of their paths.
func SortFiles(files []File) {
	slices.SortFunc(files, func(a, b File) int { return Compare(a.Path, b.Path) })
}
