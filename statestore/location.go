package statestore

import (
	"context"
	"sync"
)

// Location is, for example, a branch of a repository. State stores are views of it. A
// layer wraps a Location and adds something, such as counting writes. Locations can be compared
// with ==. The Locations of two views are equal if one call of Write can contain the changes of
// both.
type Location interface {
	// Read returns the newest state of a view, as Store.Read does.
	Read(ctx context.Context, view View) (State, error)
	// Write makes the changes of each part, as Store.Apply does. It makes all of them in one write
	// if the store supports that. If a part cannot be written, the others are written nevertheless.
	// The outcomes are in the order of the parts. There must be at least one part.
	Write(ctx context.Context, parts []ViewChanges) []Outcome
}

// View is one state store as a view of a Location. Views can be compared with ==. If a state store
// is opened again, the result is another View.
type View struct {
	// Name is the name of the state store in errors and metrics.
	Name string
	// Store is the store that the Location reads and writes for this view.
	Store    Store
	Location Location
}

var _ Store = View{}

// ViewChanges has the changes for one view.
type ViewChanges struct {
	View    View
	Changes ChangeSet
}

// ViewOf returns a store as a View. If the store is not a View, the result is the only view of a
// Location of its own.
func ViewOf(name string, store Store) View {
	if view, ok := store.(View); ok {
		return view
	}
	return View{Name: name, Store: store, Location: Alone{store}}
}

// Read returns the newest state of the view.
func (v View) Read(ctx context.Context) (State, error) { return v.Location.Read(ctx, v) }

// Apply makes all of the changes or none, as Store.Apply does.
func (v View) Apply(ctx context.Context, changes ChangeSet) (Revision, error) {
	outcome := v.Location.Write(ctx, []ViewChanges{{v, changes}})[0]
	return outcome.Revision, outcome.Err
}

// Through returns the view with layer as its Location. The layer wraps the Location of v.
func (v View) Through(layer Location) View {
	v.Location = layer
	return v
}

// Alone is the Location of a single store.
type Alone struct{ Store Store }

var _ Location = Alone{}

// Read reads the store.
func (a Alone) Read(ctx context.Context, _ View) (State, error) { return a.Store.Read(ctx) }

// Write makes the changes of the parts one after the other, each in the part's own store.
func (a Alone) Write(ctx context.Context, parts []ViewChanges) []Outcome {
	return WriteEach(ctx, parts)
}

// WriteEach makes the changes of the parts one after the other, each in the part's own store.
func WriteEach(ctx context.Context, parts []ViewChanges) []Outcome {
	outcomes := make([]Outcome, len(parts))
	for i, part := range parts {
		outcomes[i].Revision, outcomes[i].Err = part.View.Store.Apply(ctx, part.Changes)
	}
	return outcomes
}

// Refuse returns an outcome with an error for each part, for a Location that writes none of them.
func Refuse(parts []ViewChanges, err func(View) error) []Outcome {
	outcomes := make([]Outcome, len(parts))
	for i, part := range parts {
		outcomes[i].Err = err(part.View)
	}
	return outcomes
}

// Commit makes changes in any number of stores. It makes the changes at one location with one call
// of Location.Write. It writes to all locations in parallel, and returns when all writes have
// returned. The outcomes are in the order of the parts.
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

type joinedParts struct {
	parts []ViewChanges
	at    []int // indices of the parts in the argument of Commit
}

// together groups the parts by location. A part without changes is in a group of its own.
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
