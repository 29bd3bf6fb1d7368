package open

import (
	"context"
	"errors"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// ReadOnly opens the stores of another Opener for reading only.
type ReadOnly struct{ statestore.Opener }

var _ statestore.Opener = ReadOnly{}

// Open opens a store for reading.
func (s ReadOnly) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := s.Opener.Open(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	return readOnly{store}, nil
}

// Keep closes the stores that are not among refs.
func (s ReadOnly) Keep(refs []kratix.StateStoreReference) { statestore.Keep(s.Opener, refs) }

// readOnly is a store that cannot be written. It embeds a reader and not the Store, so that
// no other method of the Store is reachable.
type readOnly struct{ reader }

type reader interface {
	Read(ctx context.Context) (statestore.State, error)
}

var _ statestore.Store = readOnly{}

// Apply always fails with ErrDenied and writes nothing.
func (readOnly) Apply(context.Context, statestore.ChangeSet) (statestore.Revision, error) {
	return "", &statestore.Error{Op: "write", Err: errors.Join(statestore.ErrDenied, errors.New("it is a dry run"))}
}
