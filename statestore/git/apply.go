package git

import (
	"context"
	"errors"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// style has the settings of commits. Stores with different styles do not share commits.
type style struct {
	author, committer Author
	owner             string
	template          *Message
	trailers          *Trailers
	authorFrom        string
	key               SigningKey
}

type commitChanges struct {
	store   *Store
	changes statestore.ChangeSet
}

// location is a branch, with the style of its commits.
type location struct {
	*branch
	style style
}

var _ statestore.Location = location{}

// View returns the store as a view of its location: the branch, with the style of its commits.
func (s *Store) View() statestore.View {
	return statestore.View{Name: s.name, Store: s, Location: location{s.branch, s.style}}
}

func (location) Read(ctx context.Context, view statestore.View) (statestore.State, error) {
	return view.Store.Read(ctx)
}

// Write tries to make one commit with all changes. If that fails, it writes the stores one by one.
func (l location) Write(ctx context.Context, parts []statestore.ViewChanges) []statestore.Outcome {
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

var errSeparate = errors.New("these cannot be written at once")

func (l location) writeAll(ctx context.Context, parts []statestore.ViewChanges) (statestore.Revision, error) {
	if len(parts) == 1 {
		return "", errSeparate // with one part, Apply returns better errors
	}
	own := make([]commitChanges, 0, len(parts))
	for _, p := range parts {
		store, ok := p.View.Store.(*Store)
		if !ok || store.branch != l.branch || store.style != l.style || p.Changes.Empty() {
			return "", errSeparate
		}
		own = append(own, commitChanges{store, p.Changes})
	}
	return apply(ctx, own)
}

func apply(ctx context.Context, parts []commitChanges) (statestore.Revision, error) {
	edits, err := planEdits(parts)
	if err != nil {
		return "", err
	}
	text := describe(parts)
	s := parts[0].store // they share the branch and the style
	s.notices.add(text.notices)
	if err := s.begin(ctx); err != nil {
		return "", err
	}
	defer s.end()
	if push := s.pushDirectly(ctx, parts); push != nil {
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
		if err := p.store.checkBase(ctx, push.tip, p.changes.Base); err != nil {
			return "", err
		}
	}
	revision, err := s.commit(ctx, push, edits, text)
	return revision, s.examine(ctx, err)
}

// pushDirectly returns a push onto the cached head without reading the branch. It returns nil if
// that is not possible.
func (s *Store) pushDirectly(ctx context.Context, parts []commitChanges) *push {
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

// isFinal reports whether a push must not be repeated after this error.
func isFinal(err error) bool {
	var refused refusal
	if errors.As(err, &refused) && refused.status != "" {
		return isHooks(refused.status) || isUnpack(refused.status) && rejectsContent(refused.words)
	}
	return errors.Is(judge(err).kind, statestore.ErrUnavailable)
}

// commit makes a commit on top of head and pushes it, unless the tree stays the same.
func (s *Store) commit(ctx context.Context, push *push, edits *edit, text commitText) (statestore.Revision, error) {
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

// anyBase returns the base of one of the parts, or "" if all bases are empty.
func anyBase(parts []commitChanges) statestore.Revision {
	var base statestore.Revision
	for _, p := range parts {
		base = max(base, p.changes.Base)
	}
	return base
}
