package git

import (
	"context"
	"errors"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Probe reports why the store cannot be read or written, and leaves nothing behind.
// It reads the branch, and asks the server to move it from its newest commit to that
// same commit, which passes every check of a push; where there is no branch yet it
// only asks whether this user may push.
func (s *Store) Probe(ctx context.Context) error {
	if err := s.probe(ctx); err != nil {
		return s.failure("probe", err)
	}
	return nil
}

func (s *Store) probe(ctx context.Context) error {
	if _, err := s.read(ctx); err != nil {
		return err
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	if there, err := s.remote.exists(); err != nil || !there {
		return err
	}
	push, err := s.remote.startPush(ctx, "")
	if err != nil {
		return err
	}
	defer push.close()
	if push.tip.IsZero() {
		return nil
	}
	err = push.confirm(ctx)
	if err != nil && errors.Is(judge(err).kind, statestore.ErrStale) {
		return nil // another writer came in between, which is looked at after all else
	}
	return err
}
