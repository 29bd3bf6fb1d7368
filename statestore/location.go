package statestore

import (
	"context"
	"sync"
)

// Location reads and writes state stores, such as those on one branch. The Locations of two views
// are equal if one call of Write can contain the changes of both.
type Location interface {
	// Read returns the newest state of a view, as Store.Read does.
	Read(ctx context.Context, view View) (State, error)
	// Write makes the changes of each part, as Store.Apply does, in one write if the store supports
	// that. The outcomes are in the order of the parts. There must be at least one part.
	Write(ctx context.Context, parts []ViewChanges) []Outcome
}

// View is one state store as a view of a Location. Views can be compared with ==.
type View struct {
	// Name is the name of the state store in errors and metrics.
	Name string
	// Store is the store that the Location reads and writes for this view.
	Store    Store
	Location Location
}

var _ Store = View{}

// ViewChanges are the changes for one view.
type ViewChanges struct {
	View    View
	Changes ChangeSet
}

// ViewOf returns a store as a View. If the store is not a View, its Location is Alone.
func ViewOf(name string, store Store) View {
	if view, ok := store.(View); ok {
		return view
	}
	return View{Name: name, Store: store, Location: Alone{store}}
}

// Read returns the newest state of the view.
func (v View) Read(ctx context.Context) (State, error) { return v.Location.Read(ctx, v) }

// Apply makes the changes, as Store.Apply does.
func (v View) Apply(ctx context.Context, changes ChangeSet) (Revision, error) {
	outcome := v.Location.Write(ctx, []ViewChanges{{v, changes}})[0]
	return outcome.Revision, outcome.Err
}

// Through returns the view with layer as its Location.
func (v View) Through(layer Location) View {
	v.Location = layer
	return v
}

// Alone is the Location of a single store.
type Alone struct{ Store Store }

var _ Location = Alone{}

// Read reads the store.
func (a Alone) Read(ctx context.Context, _ View) (State, error) { return a.Store.Read(ctx) }

// Write makes the changes of the parts one after the other.
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

// Refuse returns an outcome with an error for each part.
func Refuse(parts []ViewChanges, err func(View) error) []Outcome {
	outcomes := make([]Outcome, len(parts))
	for i, part := range parts {
		outcomes[i].Err = err(part.View)
	}
	return outcomes
}

// Commit makes changes in any number of stores. It writes to different locations in parallel. The
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

type joinedParts struct {
	parts []ViewChanges
	at    []int // indices of the parts in the argument of Commit
}

// together returns the parts for each call of Location.Write.
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
