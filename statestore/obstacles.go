package statestore

import (
	"bytes"
	"iter"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Obstacles are the entries of a store that are neither files nor directories, such as symlinks.
// They are immutable. The zero value is empty.
type Obstacles struct{ files Files }

// Obstacle is an entry that is neither a file nor a directory. Kind is a description for messages,
// such as "a symlink".
type Obstacle struct {
	Path tree.Path
	Kind string
	// Gone means, in an argument of With, that the obstacle no longer exists.
	Gone bool
}

// With returns the obstacles after the changes. If a path is in several changes, the last one
// counts.
func (o Obstacles) With(changes []Obstacle) Obstacles {
	if len(changes) == 0 {
		return o
	}
	files := make([]FileChange, 0, len(changes))
	for _, change := range changes {
		as := FileChange{Path: change.Path, Gone: change.Gone}
		copy(as.Digest[:], change.Kind)
		files = append(files, as)
	}
	return Obstacles{o.files.With(files)}
}

// At returns the kind of the obstacle at a path, or false if there is none.
func (o Obstacles) At(p tree.Path) (kind string, ok bool) {
	sum, ok := o.files.Digest(p)
	return kindIn(sum), ok
}

// kindIn returns the kind of an obstacle, which is stored in a Digest.
func kindIn(sum Digest) string { return string(bytes.TrimRight(sum[:], "\x00")) }

// Below returns an iterator over the obstacles at p and below, in walk order.
func (o Obstacles) Below(p tree.Path) iter.Seq[Obstacle] {
	return func(yield func(Obstacle) bool) {
		for path, sum := range o.files.Below(p) {
			if !yield(Obstacle{Path: path, Kind: kindIn(sum)}) {
				return
			}
		}
	}
}

// Same reports in O(depth) whether both share the subtree at p. It may return false for equal
// Obstacles that were built independently.
func (o Obstacles) Same(other Obstacles, p tree.Path) bool { return o.files.Same(other.files, p) }
