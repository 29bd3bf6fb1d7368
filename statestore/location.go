package statestore

import (
	"context"
	"sync"
)

// Location is a branch of a repository or a prefix of a bucket. State stores are views of it. A
// layer, such as one that counts writes, wraps a Location. Locations are comparable: the Locations
// of two views are equal (==) if one Write can contain the changes of both.
type Location interface {
	// Read returns the newest state of a view, as Store.Read does.
	Read(ctx context.Context, view View) (State, error)
	// Write applies each part as Store.Apply does, all of them in one write if the store
	// supports it. A part that cannot be written fails alone and does not affect the
	// others. The outcomes are in the order of the parts. parts must not be empty.
	Write(ctx context.Context, parts []ViewChanges) []Outcome
}

// View is one state store within its Location. It is comparable: a state store that was
// opened again is another View.
type View struct {
	// Name is the name of the state store in errors and metrics.
	Name string
	// Store is the store that the Location reads and writes for this view.
	Store    Store
	Location Location
}

var _ Store = View{}

// ViewChanges holds the changes of one of several views.
type ViewChanges struct {
	View    View
	Changes ChangeSet
}

// ViewOf returns a store as a View. A store that is not a View becomes the only view of its
// own Location.
func ViewOf(name string, store Store) View {
	if view, ok := store.(View); ok {
		return view
	}
	return View{Name: name, Store: store, Location: Alone{store}}
}

// Read returns the newest state.
func (v View) Read(ctx context.Context) (State, error) { return v.Location.Read(ctx, v) }

// Apply makes all changes or none of them.
func (v View) Apply(ctx context.Context, changes ChangeSet) (Revision, error) {
	outcome := v.Location.Write(ctx, []ViewChanges{{v, changes}})[0]
	return outcome.Revision, outcome.Err
}

// Through returns the view with its Location replaced by layer, which wraps it.
func (v View) Through(layer Location) View {
	v.Location = layer
	return v
}

// Alone is the Location of a single store.
type Alone struct{ Store Store }

var _ Location = Alone{}

// Read reads the store.
func (a Alone) Read(ctx context.Context, _ View) (State, error) { return a.Store.Read(ctx) }

// Write writes to the store.
func (a Alone) Write(ctx context.Context, parts []ViewChanges) []Outcome {
	return WriteEach(ctx, parts)
}

// WriteEach writes the parts one after the other, each to its own store.
func WriteEach(ctx context.Context, parts []ViewChanges) []Outcome {
	outcomes := make([]Outcome, len(parts))
	for i, part := range parts {
		outcomes[i].Revision, outcomes[i].Err = part.View.Store.Apply(ctx, part.Changes)
	}
	return outcomes
}

// Refuse returns an outcome with an error for each part; none of them is written.
func Refuse(parts []ViewChanges, err func(View) error) []Outcome {
	outcomes := make([]Outcome, len(parts))
	for i, part := range parts {
		outcomes[i].Err = err(part.View)
	}
	return outcomes
}

// Commit writes changes to any number of stores: the changes to one location in one write,
// and all locations in parallel, so that a slow location does not delay the others. The
// outcomes are in the order of the parts.
func Commit(ctx context.Context, parts []StoreChanges) []Outcome {
	outcomes := make([]Outcome, len(parts))
	var writes sync.WaitGroup
	for _, joint := range together(parts) {
		writes.Go(func() {
			for i, outcome := range joint.parts[0].View.Location.Write(ctx, joint.parts) {
				outcomes[joint.at[i]] = outcome
			}
		})
	}
	writes.Wait()
	return outcomes
}

// joinedParts is a group of parts that one call of Location.Write takes.
type joinedParts struct {
	parts []ViewChanges
	at    []int // indices of parts among all parts of the Commit
}

// together groups parts by their locations. A part without changes forms a group of its
// own.
func together(parts []StoreChanges) []*joinedParts {
	var joints []*joinedParts
	known := map[Location]*joinedParts{}
	for i, part := range parts {
		view, joins := part.Store.(View)
		joins = joins && !part.Changes.Empty()
		var in *joinedParts
		if joins {
			in = known[view.Location]
		}
		if in == nil {
			in = &joinedParts{}
			joints = append(joints, in)
		}
		if joins {
			known[view.Location] = in
		}
		in.parts, in.at = append(in.parts, ViewChanges{ViewOf("", part.Store), part.Changes}), append(in.at, i)
	}
	return joints
}
