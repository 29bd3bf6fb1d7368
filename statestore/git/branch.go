package git

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// branch is one branch of a repository and what is known of it. Stores at
// several paths of it share one.
type branch struct {
	remote *remote

	turn chan struct{} // holds a token while an operation runs

	// users counts the open stores.
	users atomic.Int64
	// asked counts how often the server was asked where the branch is, for a read;
	// answered is the number of the last question that had an answer.
	asked    atomic.Int64
	answered int64

	// Everything below head is in objects, but for blobs nobody asked for;
	// history before shallow is not.
	objects *objects
	head    plumbing.Hash
	shallow plumbing.Hash
	// tip is where the server said last that the branch is; zero when there was
	// none, even if head says from where it would start.
	tip plumbing.Hash
	// accepts means that the server has accepted a push, or the branch as it is,
	// since the branch was read.
	accepts bool
	// whole says that the server does not give single blobs although it said so.
	whole bool
}

func newBranch(r *remote) *branch {
	return &branch{remote: r, turn: make(chan struct{}, 1), objects: newObjects()}
}

// How many objects, and how many bytes, may be added before the unreachable ones
// go.
const (
	minTidyObjects = 20_000
	minTidyBytes   = 64 << 20
)

// begin waits for the branch's turn, as long as ctx allows.
func (b *branch) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case b.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *branch) end() { <-b.turn }

// release closes the branch once its last store is closed and what is in hand has
// ended. A store that is used nevertheless begins anew.
func (b *branch) release() {
	if b.users.Add(-1) > 0 {
		return
	}
	select {
	case b.turn <- struct{}{}:
		b.shut()
	default:
		go func() {
			b.turn <- struct{}{}
			b.shut()
		}()
	}
}

// shut returns up connections and everything that is held, for who has the turn. What
// States have of it stays valid for them.
func (b *branch) shut() {
	defer b.end()
	if b.users.Load() > 0 { // it was opened again
		return
	}
	b.remote.hangUp()
	b.objects, b.head, b.tip, b.shallow = newObjects(), plumbing.ZeroHash, plumbing.ZeroHash, plumbing.ZeroHash
	b.answered = 0
}

// pullSince does what pull does, unless the server has answered a question that was
// asked after the first so many: stores that are read at the same time ask once.
func (b *branch) pullSince(ctx context.Context, asked int64) error {
	if b.answered > asked {
		return nil
	}
	number := b.asked.Add(1)
	if err := b.pull(ctx); err != nil {
		return err
	}
	b.answered = number
	return nil
}

// pull brings head to the branch's newest commit, or to the commit the branch
// will start from.
func (b *branch) pull(ctx context.Context) error {
	there, err := b.remote.exists()
	if err != nil {
		return err
	}
	if !there {
		b.head, b.tip = plumbing.ZeroHash, plumbing.ZeroHash
		return nil
	}
	session, refs, err := advertise(ctx, b.remote, b.remote.client.NewUploadPackSession)
	if err != nil {
		return err
	}
	if err := b.remote.checkBranch(refs); err != nil {
		session.Close() //nolint:errcheck // the answer is there
		return err
	}
	b.tip = refs.References[b.remote.branch.String()]
	start := b.remote.start(refs)
	if start.IsZero() || start == b.head {
		session.Close() //nolint:errcheck // the answer is there
		b.head = start
		return nil
	}
	if b.head.IsZero() {
		return b.fetchAll(ctx, session, refs, start)
	}
	if b.fetchNews(ctx, session, refs, start) == nil {
		return nil
	}
	return b.refetch(ctx)
}

// refetch gets everything anew.
func (b *branch) refetch(ctx context.Context) error {
	session, refs, err := advertise(ctx, b.remote, b.remote.client.NewUploadPackSession)
	if err != nil {
		return err
	}
	b.tip = refs.References[b.remote.branch.String()]
	return b.fetchAll(ctx, session, refs, b.remote.start(refs))
}

// start is the branch's head, else HEAD's, else nothing.
func (r *remote) start(refs *packp.AdvRefs) plumbing.Hash {
	switch {
	case !refs.References[r.branch.String()].IsZero():
		return refs.References[r.branch.String()]
	case refs.Head != nil:
		return *refs.Head
	}
	return plumbing.ZeroHash
}

// tidy drops what head does not reach once that may be half of everything.
func (b *branch) tidy() error {
	held, grown := b.objects, b.objects.grown
	few := grown.objects < max(minTidyObjects, held.len()/2) && grown.bytes < max(minTidyBytes, held.bytes()/2)
	if b.head.IsZero() || few {
		return nil
	}
	kept, err := b.objects.reachable(b.head)
	if err != nil {
		return err
	}
	b.objects, b.shallow = kept, b.head
	return nil
}

// isMissing reports whether a server sent less than it should have.
func isMissing(err error) bool {
	var gone missing
	return errors.As(err, &gone)
}
