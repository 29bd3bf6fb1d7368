package open

import (
	"context"
	"errors"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// ReadOnly opens the stores of another Opener so that they can only be read.
type ReadOnly struct{ statestore.Opener }

var _ statestore.Opener = ReadOnly{}

// Open returns a store that can only be read.
func (s ReadOnly) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := s.Opener.Open(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	return readOnly{store}, nil
}

// Keep closes the stores that are not in refs.
func (s ReadOnly) Keep(refs []kratix.StateStoreReference) { statestore.Keep(s.Opener, refs) }

// readOnly is a store that cannot be written.
type readOnly struct{ reader }

type reader interface {
	Read(ctx context.Context) (statestore.State, error)
}

var _ statestore.Store = readOnly{}

func (readOnly) Apply(context.Context, statestore.ChangeSet) (statestore.Revision, error) {
	return "", &statestore.Error{Op: "write", Err: errors.Join(statestore.ErrDenied, errors.New("it is a dry run"))}
}
