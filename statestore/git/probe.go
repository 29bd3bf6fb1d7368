package git

import (
	"context"
	"errors"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Probe returns an error if the store cannot be read, or if the server rejects a push that changes
// nothing.
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
		return nil // the branch has moved since it was read
	}
	return err
}
