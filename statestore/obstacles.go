package statestore

import (
	"bytes"
	"iter"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Obstacles are the paths of a state at which something lies that is neither a
// file nor a directory, such as a symlink, with the kind of each. No file can be
// written at, above or below one. Like Files they are never changed once they
// are made. The zero value holds nothing.
type Obstacles struct{ files Files }

// Obstacle is what lies at a path, in words: "a symlink".
type Obstacle struct {
	Path tree.Path
	Kind string
	// Gone is for one that another state had.
	Gone bool
}

// With returns the obstacles after changes. The last change of a path counts.
func (o Obstacles) With(changes []Obstacle) Obstacles {
	if len(changes) == 0 {
		return o
	}
	files := make([]FileChange, 0, len(changes))
	for _, change := range changes {
		as := FileChange{Path: change.Path, Gone: change.Gone}
		copy(as.Sum[:], change.Kind)
		files = append(files, as)
	}
	return Obstacles{o.files.With(files)}
}

// At returns the kind of the obstacle at a path, if there is one.
func (o Obstacles) At(p tree.Path) (kind string, ok bool) {
	sum, ok := o.files.Sum(p)
	return kindIn(sum), ok
}

// kindIn reads the kind that a Sum stands for here.
func kindIn(sum Sum) string { return string(bytes.TrimRight(sum[:], "\x00")) }

// Below goes through the obstacles at or below a path, in walk order.
func (o Obstacles) Below(p tree.Path) iter.Seq[Obstacle] {
	return func(yield func(Obstacle) bool) {
		for path, sum := range o.files.Below(p) {
			if !yield(Obstacle{Path: path, Kind: kindIn(sum)}) {
				return
			}
		}
	}
}

// Same reports, in the time of one look, whether nothing at or below a path
// differs from the other obstacles there. It may return false for equal ones
// that were not made of each other.
func (o Obstacles) Same(other Obstacles, p tree.Path) bool { return o.files.Same(other.files, p) }
