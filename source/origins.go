package source

import (
	"cmp"
	"iter"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Origins has the place at which each object of a Snapshot was read. It is immutable.
type Origins struct {
	sorted []*origin
}

type origin struct {
	object kratix.Object
	place  finding.Place
}

func compareOrigins(a, b *origin) int { return cmp.Compare(a.place.Object, b.place.Object) }

// Of returns the place of an object, or an empty place if the Snapshot has none.
func (o Origins) Of(object kratix.Object) finding.Place {
	i, found := o.search(kratix.Describe(object))
	if !found || o.sorted[i].object != object {
		return finding.Place{}
	}
	return o.sorted[i].place
}

// All yields the objects with their places, sorted by kind and name.
func (o Origins) All() iter.Seq2[kratix.Object, finding.Place] {
	return func(yield func(kratix.Object, finding.Place) bool) {
		for _, each := range o.sorted {
			if !yield(each.object, each.place) {
				return
			}
		}
	}
}

// With returns a copy that also has the object and its place.
func (o Origins) With(object kratix.Object, at finding.Place) Origins {
	at.Object = kratix.Describe(object)
	i, found := o.search(at.Object)
	sorted := slices.Clone(o.sorted)
	if !found {
		sorted = slices.Insert(sorted, i, nil)
	}
	sorted[i] = &origin{object, at}
	return Origins{sorted}
}

func (o Origins) search(described string) (int, bool) {
	return slices.BinarySearchFunc(o.sorted, described, func(each *origin, name string) int {
		return cmp.Compare(each.place.Object, name)
	})
}
