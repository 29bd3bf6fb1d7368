package statestore

import (
	"bytes"
	"iter"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Obstacles are the paths of a state at which there is neither a file nor a directory but, for
// example, a symlink. Each path has a kind. No file can be written at, above or below such a path.
// Like Files, they are immutable. The zero value is empty.
type Obstacles struct{ files Files }

// Obstacle is an entry that is neither a file nor a directory. Kind describes it for
// messages: "a symlink".
type Obstacle struct {
	Path tree.Path
	Kind string
	// Gone marks an obstacle of another state that no longer exists.
	Gone bool
}

// With returns the obstacles with changes applied. If a path occurs more than once, its
// last change wins.
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

// At returns the kind of the obstacle at a path, if there is one.
func (o Obstacles) At(p tree.Path) (kind string, ok bool) {
	sum, ok := o.files.Digest(p)
	return kindIn(sum), ok
}

// kindIn returns the kind that is stored in a Digest.
func kindIn(sum Digest) string { return string(bytes.TrimRight(sum[:], "\x00")) }

// Below returns an iterator over the obstacles at or below a path, in walk order.
func (o Obstacles) Below(p tree.Path) iter.Seq[Obstacle] {
	return func(yield func(Obstacle) bool) {
		for path, sum := range o.files.Below(p) {
			if !yield(Obstacle{Path: path, Kind: kindIn(sum)}) {
				return
			}
		}
	}
}

// Same reports in O(depth) whether both share the subtree at p, and so have equal obstacles
// at or below it. It may return false for equal Obstacles that were built independently.
func (o Obstacles) Same(other Obstacles, p tree.Path) bool { return o.files.Same(other.files, p) }
