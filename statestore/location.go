package statestore

import (
	"context"
	"sync"
)

// Location is a branch of a repository, or a prefix of a bucket: what state stores,
// its views, write to. Layers, such as one that counts, wrap a Location. Locations
// are comparable: those of two views are equal (==) if one Write can take the
// changes of both.
type Location interface {
	// Read returns the newest state of a view, as Store.Read does.
	Read(ctx context.Context, view View) (State, error)
	// Write does for each part what Store.Apply does, at once where it can. None is in
	// the way of another: what cannot be written fails alone. The outcomes are in the
	// order of the parts, of which there is at least one.
	Write(ctx context.Context, parts []ViewPart) []Outcome
}

// View is a state store as a part of its Location. It is comparable: a state store
// that was opened anew is another View.
type View struct {
	// Name is what errors and metrics call the state store.
	Name string
	// Store is what the Location knows the view by.
	Store    Store
	Location Location
}

var _ Store = View{}

// ViewPart is what is to be changed in one of several views.
type ViewPart struct {
	View    View
	Changes ChangeSet
}

// ViewOf returns a store as a View; one that is none is alone in its location.
func ViewOf(name string, store Store) View {
	if view, ok := store.(View); ok {
		return view
	}
	return View{Name: name, Store: store, Location: Alone{store}}
}

// Read returns the newest state.
func (v View) Read(ctx context.Context) (State, error) { return v.Location.Read(ctx, v) }

// Apply makes all changes or none.
func (v View) Apply(ctx context.Context, changes ChangeSet) (Revision, error) {
	outcome := v.Location.Write(ctx, []ViewPart{{v, changes}})[0]
	return outcome.Revision, outcome.Err
}

// Behind returns the view behind a layer: a Location in front of the view's own.
func (v View) Behind(layer Location) View {
	v.Location = layer
	return v
}

// Alone is the Location of a store that shares it with no other.
type Alone struct{ Store Store }

var _ Location = Alone{}

// Read reads the store.
func (a Alone) Read(ctx context.Context, _ View) (State, error) { return a.Store.Read(ctx) }

// Write writes to the store.
func (a Alone) Write(ctx context.Context, parts []ViewPart) []Outcome {
	return WriteEach(ctx, parts)
}

// WriteEach writes one part after the other, each to its own store.
func WriteEach(ctx context.Context, parts []ViewPart) []Outcome {
	outcomes := make([]Outcome, len(parts))
	for i, part := range parts {
		outcomes[i].Revision, outcomes[i].Err = part.View.Store.Apply(ctx, part.Changes)
	}
	return outcomes
}

// Refuse is the outcome of parts of which none is written, with the error of each.
func Refuse(parts []ViewPart, err func(View) error) []Outcome {
	outcomes := make([]Outcome, len(parts))
	for i, part := range parts {
		outcomes[i].Err = err(part.View)
	}
	return outcomes
}

// Commit writes changes of any stores: those in one location at once, and all
// locations side by side, so that a slow one holds up no other. The outcomes are in
// the order of the parts.
func Commit(ctx context.Context, parts []Part) []Outcome {
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

// joint is what is written at once.
type joint struct {
	parts []ViewPart
	at    []int // their positions among all parts
}

// together groups parts by their locations. One without changes stays alone.
func together(parts []Part) []*joint {
	var joints []*joint
	known := map[Location]*joint{}
	for i, part := range parts {
		view, joins := part.Store.(View)
		joins = joins && !part.Changes.Empty()
		var in *joint
		if joins {
			in = known[view.Location]
		}
		if in == nil {
			in = &joint{}
			joints = append(joints, in)
		}
		if joins {
			known[view.Location] = in
		}
		in.parts, in.at = append(in.parts, ViewPart{ViewOf("", part.Store), part.Changes}), append(in.at, i)
	}
	return joints
}
