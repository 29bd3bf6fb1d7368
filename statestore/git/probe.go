package git

import (
	"context"
	"errors"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Probe returns an error if the store cannot be read or written, and leaves nothing behind. It
// reads the branch and pushes the commit that the branch already has, which the server checks like
// any push. If there is no branch yet, it checks only whether this user may push.
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
		return nil // another writer was faster, which means that the other checks have passed
	}
	return err
}
