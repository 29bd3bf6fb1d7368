package git

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// branch is one branch of a repository and its cached objects. Stores at several paths of
// the branch share it.
type branch struct {
	remote *remote

	token chan struct{} // holds a token while an operation is in progress

	// users is the number of open stores.
	users atomic.Int64
	// asked is the number of requests for the branch's head that reads have sent; answered
	// is the number of the last request that was answered.
	asked    atomic.Int64
	answered int64

	// objects contains everything reachable from head, except blobs that were never fetched
	// and the history before shallow.
	objects *objects
	head    plumbing.Hash
	shallow plumbing.Hash
	// tip is the branch's commit in the server's last response; zero if the branch did not
	// exist, even if head is the commit from which it would start.
	tip plumbing.Hash
	// accepts means that the server has accepted a push, or the unchanged branch, since the
	// branch was read.
	accepts bool
	// whole means that the server does not send single blobs although it advertised that it
	// does.
	whole bool
}

func newBranch(r *remote) *branch {
	return &branch{remote: r, token: make(chan struct{}, 1), objects: newObjects()}
}

// minTidyObjects and minTidyBytes are how many objects and bytes must be added before
// unreachable ones are dropped.
const (
	minTidyObjects = 20_000
	minTidyBytes   = 64 << 20
)

// begin acquires the token of the branch, which one operation at a time holds. It returns the error
// of ctx if ctx ends first.
func (b *branch) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case b.token <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *branch) end() { <-b.token }

// release closes the branch after its last store is closed and the operation in progress
// has ended. A store that is used afterwards reads everything again.
func (b *branch) release() {
	if b.users.Add(-1) > 0 {
		return
	}
	select {
	case b.token <- struct{}{}:
		b.shut()
	default:
		go func() {
			b.token <- struct{}{}
			b.shut()
		}()
	}
}

// shut closes the connections and drops all objects. Its caller holds the token. States that use
// the objects remain valid.
func (b *branch) shut() {
	defer b.end()
	if b.users.Load() > 0 { // it was opened again
		return
	}
	b.remote.hangUp()
	b.objects, b.head, b.tip, b.shallow = newObjects(), plumbing.ZeroHash, plumbing.ZeroHash, plumbing.ZeroHash
	b.answered = 0
}

// pullSince pulls unless a request with a number above last has been answered, so that stores that
// are read at the same time share one request.
func (b *branch) pullSince(ctx context.Context, last int64) error {
	if b.answered > last {
		return nil
	}
	number := b.asked.Add(1)
	if err := b.pull(ctx); err != nil {
		return err
	}
	b.answered = number
	return nil
}

// pull advances head to the branch's newest commit, or to the commit from which the branch
// will start.
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
		session.Close() //nolint:errcheck // the response is complete
		return err
	}
	b.tip = refs.References[b.remote.branch.String()]
	start := b.remote.start(refs)
	if start.IsZero() || start == b.head {
		session.Close() //nolint:errcheck // the response is complete
		b.head = start
		return nil
	}
	if b.head.IsZero() {
		return b.fetchAll(ctx, session, refs, start)
	}
	if b.fetchNew(ctx, session, refs, start) == nil {
		return nil
	}
	return b.refetch(ctx)
}

// refetch fetches everything again.
func (b *branch) refetch(ctx context.Context) error {
	session, refs, err := advertise(ctx, b.remote, b.remote.client.NewUploadPackSession)
	if err != nil {
		return err
	}
	b.tip = refs.References[b.remote.branch.String()]
	return b.fetchAll(ctx, session, refs, b.remote.start(refs))
}

// start returns the branch's commit or, if the branch does not exist, the commit of HEAD. It
// returns zero if neither exists.
func (r *remote) start(refs *packp.AdvRefs) plumbing.Hash {
	switch {
	case !refs.References[r.branch.String()].IsZero():
		return refs.References[r.branch.String()]
	case refs.Head != nil:
		return *refs.Head
	}
	return plumbing.ZeroHash
}

// tidy drops the objects that head does not reach, once they may be half of all objects.
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

// isMissing reports whether an error means that the server sent fewer objects than it
// should have.
func isMissing(err error) bool {
	var gone missing
	return errors.As(err, &gone)
}
