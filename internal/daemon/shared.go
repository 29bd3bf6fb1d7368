package daemon

import (
	"context"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/share"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// sharedStores are stores that are written only while their places are this
// replica's.
type sharedStores struct {
	statestore.Opener
	share *share.Share
}

var _ statestore.Opener = sharedStores{}

// Open returns a store behind the question whose its place is.
func (s sharedStores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := s.Opener.Open(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	view := statestore.ViewOf(ref.String(), store)
	return view.Behind(sharedLocation{view.Location, s.share, kratix.LocationOf(ref, spec).Place}), nil
}

// Keep has the stores closed that are not among refs.
func (s sharedStores) Keep(refs []kratix.StateStoreReference) { statestore.Keep(s.Opener, refs) }

// sharedLocation is a place that several replicas may write to, one at a time.
type sharedLocation struct {
	statestore.Location
	share *share.Share
	place string
}

// Write writes if the place is this replica's, which it stays until the write is
// over.
func (l sharedLocation) Write(ctx context.Context, parts []statestore.ViewPart) []statestore.Outcome {
	if !l.share.Begin(l.place) {
		return statestore.Refuse(parts, func(view statestore.View) error {
			return &statestore.Error{Op: "write", Store: view.Name, Err: fmt.Errorf("%w: another replica writes there now", statestore.ErrStale)}
		})
	}
	defer l.share.End(l.place)
	return l.Location.Write(ctx, parts)
}
