package kustomize

import "github.com/kratix-schedule/kratix-schedule/internal/tree"

// Lazy runs the builds of this package with files whose content is fetched when it is needed.
type Lazy struct {
	// Fetch returns the content of a file whose Content is nil. It may be nil if all files have
	// content.
	Fetch func(tree.Path) ([]byte, error)
}

// fetched returns the file with its content, or the file unchanged if its content cannot be
// fetched.
func (l Lazy) fetched(file tree.File) tree.File {
	if file.Content == nil && l.Fetch != nil {
		file.Content, _ = l.Fetch(file.Path) // kustomize gets the error when it reads the file itself
	}
	return file
}
