package git

import (
	"context"
	"errors"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// style is what stores must have in common to make one commit.
type style struct {
	author, committer Author
	owner             string
	template          *Message
	key               SigningKey
}

// part is what one commit changes in one store.
type part struct {
	store   *Store
	changes statestore.ChangeSet
}

// Joins reports whether one commit can hold the changes of both stores: they lie
// on one branch, a Pool opened both with the same credentials, and their commits
// look alike.
func (s *Store) Joins(other statestore.Store) bool {
	o, ok := other.(*Store)
	return ok && o.branch == s.branch && o.style == s.style
}

// ApplyAll makes one commit for this store and others that join it. When that
// cannot be, each is tried alone, so that none is in the way of another and each
// has an error of its own.
func (s *Store) ApplyAll(ctx context.Context, parts []statestore.Part) []statestore.Outcome {
	outcomes := make([]statestore.Outcome, len(parts))
	if revision, err := s.applyAll(ctx, parts); err == nil {
		for i := range outcomes {
			outcomes[i].Revision = revision
		}
		return outcomes
	}
	for i, p := range parts {
		outcomes[i].Revision, outcomes[i].Err = p.Store.Apply(ctx, p.Changes)
	}
	return outcomes
}

func (s *Store) applyAll(ctx context.Context, parts []statestore.Part) (statestore.Revision, error) {
	own := make([]part, 0, len(parts))
	for _, p := range parts {
		store, ok := p.Store.(*Store)
		if !ok || !s.Joins(store) || p.Changes.Empty() {
			return "", errors.New("these cannot be written at once")
		}
		own = append(own, part{store, p.Changes})
	}
	return apply(ctx, own)
}

// apply makes one commit of everything and pushes it.
func apply(ctx context.Context, parts []part) (statestore.Revision, error) {
	edits, err := planEdits(parts)
	if err != nil {
		return "", err
	}
	text, err := message(parts)
	if err != nil {
		return "", err
	}
	s := parts[0].store // any will do: what follows is the branch's, or of one style
	if err := s.begin(ctx); err != nil {
		return "", err
	}
	defer s.end()
	if push := s.straight(ctx, parts); push != nil {
		revision, err := s.commit(ctx, push, edits, text)
		if err == nil || isFinal(err) {
			return revision, s.examine(ctx, err)
		}
	}
	push, err := s.remote.startPush(ctx, anyBase(parts))
	if err != nil {
		return "", err
	}
	defer push.close()
	for _, p := range parts {
		if err := p.store.agree(ctx, push.tip, p.changes.Base); err != nil {
			return "", err
		}
	}
	revision, err := s.commit(ctx, push, edits, text)
	return revision, s.examine(ctx, err)
}

// straight returns a push to where the branch was seen last, without a question
// to the server; nil when it is better to ask. When the branch has moved the
// push is refused, and nothing is lost but the time.
func (s *Store) straight(ctx context.Context, parts []part) *push {
	if s.head.IsZero() || s.tip != s.head {
		return nil
	}
	for _, p := range parts {
		if p.changes.Base != revision(s.head) {
			return nil
		}
	}
	return s.remote.pushAgain(ctx, s.tip)
}

// isFinal reports whether a push would have failed as well had we asked before.
func isFinal(err error) bool {
	var refused refusal
	if errors.As(err, &refused) && refused.status != "" {
		return isHooks(refused.status) || isUnpack(refused.status) && judgesContent(refused.words)
	}
	return errors.Is(judge(err).kind, statestore.ErrUnavailable)
}

// commit makes a commit on head and pushes it; without a difference there is
// none.
func (s *Store) commit(ctx context.Context, push *push, edits *edit, text string) (statestore.Revision, error) {
	made, err := s.build(edits, text)
	if err != nil || made == nil {
		return revision(s.head), err
	}
	if err := push.send(ctx, made); err != nil {
		return "", err
	}
	s.head, s.tip, s.accepts = made.commit, made.commit, true
	return revision(s.head), s.objects.add(made.objects)
}

// anyBase returns a base that is there, if there is any.
func anyBase(parts []part) statestore.Revision {
	var base statestore.Revision
	for _, p := range parts {
		base = max(base, p.changes.Base)
	}
	return base
}
