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

// location is a branch, opened with some credentials, on which all commits look
// alike.
type location struct {
	*branch
	style style
}

var _ statestore.Location = location{}

// View returns the store as a part of its location: the branch and what its commits
// look like. Stores of which a Pool has opened both with the same credentials have
// equal locations if they have those in common.
func (s *Store) View() statestore.View {
	return statestore.View{Name: s.name, Store: s, Location: location{s.branch, s.style}}
}

// Read returns the newest state of a store.
func (location) Read(ctx context.Context, view statestore.View) (statestore.State, error) {
	return view.Store.Read(ctx)
}

// Write makes one commit of the changes of several stores. When that cannot be, each
// is tried alone, so that none is in the way of another and each has an error of its
// own.
func (l location) Write(ctx context.Context, parts []statestore.ViewPart) []statestore.Outcome {
	revision, err := l.writeAll(ctx, parts)
	if err != nil {
		return statestore.WriteEach(ctx, parts)
	}
	outcomes := make([]statestore.Outcome, len(parts))
	for i := range outcomes {
		outcomes[i].Revision = revision
	}
	return outcomes
}

// errApart are changes that one commit cannot hold.
var errApart = errors.New("these cannot be written at once")

func (l location) writeAll(ctx context.Context, parts []statestore.ViewPart) (statestore.Revision, error) {
	if len(parts) == 1 {
		return "", errApart // nothing is gained, and the store words its errors
	}
	own := make([]part, 0, len(parts))
	for _, p := range parts {
		store, ok := p.View.Store.(*Store)
		if !ok || store.branch != l.branch || store.style != l.style || p.Changes.Empty() {
			return "", errApart
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
