package kustomize

import "github.com/kratix-schedule/kratix-schedule/internal/tree"

// Lazy builds as the functions of this package do, with files that have no content
// until kustomize reads them. The zero Lazy builds with files that have one.
type Lazy struct {
	// Fetch returns the content of a file whose Content is nil.
	Fetch func(tree.Path) ([]byte, error)
}

// fetched returns a file with its content. One that cannot be fetched has none;
// kustomize gets the error when it reads the file.
func (l Lazy) fetched(file tree.File) tree.File {
	if file.Content == nil && l.Fetch != nil {
		file.Content, _ = l.Fetch(file.Path) // the caller reads the file again
	}
	return file
}
