package git

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// branch is a branch of a repository, with its cached objects. Stores at several paths of the
// branch can share it.
type branch struct {
	remote *remote

	token chan struct{} // has one element while an operation is in progress

	users atomic.Int64
	// asked is the number of the last request for the branch's head. answered is the number of the
	// last request that the server has answered.
	asked    atomic.Int64
	answered int64
	// joint are the reads for which the head was requested last.
	joint statestore.JointRead

	// objects has everything that can be reached from head, except for the history before shallow
	// and blobs that were never fetched.
	objects *objects
	head    plumbing.Hash
	shallow plumbing.Hash
	// tip is the branch's commit in the last response of the server, or zero without a branch. head
	// may then be the commit from which the branch will start.
	tip plumbing.Hash
	// accepts means that the server has accepted a push since the branch was read, either of a
	// commit or of the unchanged branch.
	accepts bool
	// whole means that the server does not send single blobs, although it advertises that it does.
	whole bool
}

func newBranch(r *remote) *branch {
	return &branch{remote: r, token: make(chan struct{}, 1), objects: newObjects()}
}

// tidy drops unreachable objects only after at least minTidyObjects objects or minTidyBytes bytes
// were added.
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
// the operation in progress has ended. A store that is used afterwards reads everything again.
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

// shut closes the connections and drops all objects. The caller must hold the token. States with
// these objects remain valid.
func (b *branch) shut() {
	defer b.end()
	if b.users.Load() > 0 { // a store was opened again
		return
	}
	b.remote.hangUp()
	b.objects, b.head, b.tip, b.shallow = newObjects(), plumbing.ZeroHash, plumbing.ZeroHash, plumbing.ZeroHash
	b.answered, b.joint = 0, statestore.JointRead{}
}

// pullSince pulls, unless a request with a number above last was answered, or the last request was
// for the same JointReads. Thus stores that are read at the same time can share one request.
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

// pull sets head to the branch's newest commit. If the branch does not exist, it sets head to the
// commit from which the branch will start.
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

// tidy drops the objects that cannot be reached from head. It does nothing until many objects were
// added after the last tidy: half of all objects, or of their bytes, and a minimum number.
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

// isMissing reports whether an error means that the server has sent fewer objects than it should
// have.
func isMissing(err error) bool {
	var gone missing
	return errors.As(err, &gone)
}
