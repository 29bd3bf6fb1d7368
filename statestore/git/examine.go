package git

import (
	"context"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"
)

// examine returns err, with always set if the server also rejects a push of the unchanged branch.
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
		return err // there is no branch
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

// isRule reports whether a rule of the server has rejected a push.
func isRule(r refusal) bool { return r.status != "" && judgeRefusal(r).fix == fixHook }

// confirm pushes the branch to the commit that it already has.
func (p *push) confirm(ctx context.Context) error {
	err := p.send(ctx, &commit{commit: p.tip, objects: map[plumbing.Hash]plumbing.EncodedObject{}})
	var refused refusal
	if errors.As(err, &refused) && isRule(refused) {
		refused.always = true
		return refused
	}
	return err
}
