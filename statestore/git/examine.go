package git

import (
	"context"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"
)

// examine determines whether a rule of the server has rejected the content of a push, or rejects
// every push. Unless the server has accepted a push recently, examine pushes the branch to the
// commit that it already has. It returns other errors unchanged.
func (s *Store) examine(ctx context.Context, err error) error {
	var refused refusal
	if !errors.As(err, &refused) || refused.status == "" || !isRule(refused) || s.accepts {
		return err
	}
	push, failed := s.remote.startPush(ctx, "")
	if failed != nil {
		return err
	}
	defer push.close()
	if push.tip.IsZero() {
		return err // there is no branch that could be pushed unchanged
	}
	var again refusal
	switch failed := push.confirm(ctx); {
	case failed == nil:
		s.accepts = true
	case errors.As(failed, &again) && again.always:
		refused.always = true
		return refused
	}
	return err
}

// isRule reports whether a rule of the server has rejected a push. Other causes are that the branch
// has moved, or that objects could not be stored.
func isRule(r refusal) bool { return r.status != "" && judgeRefusal(r).fix == fixHook }

// confirm pushes the branch to the commit that it already has. A rule that rejects this push
// rejects every push.
func (p *push) confirm(ctx context.Context) error {
	err := p.send(ctx, &commit{commit: p.tip, objects: map[plumbing.Hash]plumbing.EncodedObject{}})
	var refused refusal
	if errors.As(err, &refused) && isRule(refused) {
		refused.always = true
		return refused
	}
	return err
}
