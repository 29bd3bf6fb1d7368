package git

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// branch is a branch of a repository, with its cached objects. Several stores can share it.
type branch struct {
	remote *remote

	token chan struct{} // has one element while an operation is in progress

	users atomic.Int64
	// asked counts the requests for the branch's head. answered is the number of the last request
	// that has succeeded.
	asked    atomic.Int64
	answered int64
	// joint is the JointRead of the last request that has succeeded.
	joint statestore.JointRead

	// objects are the cached objects. The history of head in them begins at shallow.
	objects *objects
	head    plumbing.Hash
	shallow plumbing.Hash
	// tip is the branch's commit on the server when it was last read or written, or zero if there
	// was no branch. Then head may be the commit from which the branch will start.
	tip plumbing.Hash
	// accepts means that the server has accepted a push since the branch was read.
	accepts bool
	// whole means that the server does not send single blobs, although it advertises this.
	whole bool
}

func newBranch(r *remote) *branch {
	return &branch{remote: r, token: make(chan struct{}, 1), objects: newObjects()}
}

// tidy does nothing until minTidyObjects objects or minTidyBytes bytes were added.
const (
	minTidyObjects = 20_000
	minTidyBytes   = 64 << 20
)

// begin waits until no other operation is in progress. It returns the error of ctx if ctx ends
// first.
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

// release must be called when a store is closed. After the last store, it closes the branch, once
// the operation in progress has ended.
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

// shut closes the connections and drops the objects, unless a store uses the branch again. The
// caller must hold the token, which shut releases.
func (b *branch) shut() {
	defer b.end()
	if b.users.Load() > 0 { // a store was opened again
		return
	}
	b.remote.hangUp()
	b.objects, b.head, b.tip, b.shallow = newObjects(), plumbing.ZeroHash, plumbing.ZeroHash, plumbing.ZeroHash
	b.answered, b.joint = 0, statestore.JointRead{}
}

// pullSince pulls the branch, unless a request with a number above last has succeeded, or the last
// request was for the same JointRead.
func (b *branch) pullSince(ctx context.Context, last int64) error {
	joint := statestore.JointReadOf(ctx)
	if b.answered > last || joint != (statestore.JointRead{}) && joint == b.joint {
		return nil
	}
	number := b.asked.Add(1)
	if err := b.pull(ctx); err != nil {
		return err
	}
	b.answered, b.joint = number, joint
	return nil
}

// pull updates head, tip and objects from the server.
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

func (b *branch) refetch(ctx context.Context) error {
	session, refs, err := advertise(ctx, b.remote, b.remote.client.NewUploadPackSession)
	if err != nil {
		return err
	}
	b.tip = refs.References[b.remote.branch.String()]
	return b.fetchAll(ctx, session, refs, b.remote.start(refs))
}

// start returns the branch's commit. If the branch does not exist, it returns the commit of HEAD,
// or zero if there is none.
func (r *remote) start(refs *packp.AdvRefs) plumbing.Hash {
	switch {
	case !refs.References[r.branch.String()].IsZero():
		return refs.References[r.branch.String()]
	case refs.Head != nil:
		return *refs.Head
	}
	return plumbing.ZeroHash
}

// tidy drops objects that cannot be reached from head, if many objects were added since the last
// time.
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

func isMissing(err error) bool {
	var gone missing
	return errors.As(err, &gone)
}
