package git

import (
	"context"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"
)

// examine determines whether the server rejected a push for its content or would reject any
// push. Unless the server has accepted a push recently, it pushes the branch to its current
// commit.
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
		return err // there is no branch yet to push unchanged
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

// isRule reports whether a rule of the server rejected a push, as opposed to a branch that
// had moved or objects that could not be stored.
func isRule(r refusal) bool { return r.status != "" && judgeRefusal(r).fix == fixHook }

// confirm pushes the branch to its current commit. The server checks this push like any other:
// a server that rejects it rejects every push.
func (p *push) confirm(ctx context.Context) error {
	err := p.send(ctx, &commit{commit: p.tip, objects: map[plumbing.Hash]plumbing.EncodedObject{}})
	var refused refusal
	if errors.As(err, &refused) && isRule(refused) {
		refused.always = true
		return refused
	}
	return err
}
