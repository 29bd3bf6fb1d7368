package git

import (
	"context"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"
)

// examine finds out whether a push that the server refused was refused for what
// it holds, or whether the server would refuse any: it pushes the branch to the
// commit where it is, unless it has accepted a push lately.
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
		return err // there is no branch yet that could be pushed as it is
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

// isRule reports whether a rule of the server refused a push: neither a writer
// that was faster, nor trouble with the objects.
func isRule(r refusal) bool { return r.status != "" && judgeRefusal(r).hint == hintHook }

// confirm moves the branch to the commit where it is. The server checks that as
// it checks any push; if it refuses that, it refuses all.
func (p *push) confirm(ctx context.Context) error {
	err := p.send(ctx, &commit{commit: p.tip, objects: map[plumbing.Hash]plumbing.EncodedObject{}})
	var refused refusal
	if errors.As(err, &refused) && isRule(refused) {
		refused.always = true
		return refused
	}
	return err
}
