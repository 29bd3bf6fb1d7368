package git

import (
	"context"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// fetchAll replaces the objects by those of one commit. It omits blobs if the server sends single
// blobs later.
func (b *branch) fetchAll(ctx context.Context, session transport.UploadPackSession, refs *packp.AdvRefs, commit plumbing.Hash) error {
	into := newObjects()
	into.partial = !b.whole && sendsBlobs(refs)
	if err := fetch(ctx, session, commitRequest(refs, commit, into.partial), into, nil); err != nil {
		return err
	}
	into.grown = growth{} // all objects can be reached from the commit
	b.head, b.shallow, b.objects = commit, commit, into
	return nil
}

// fetchNew fetches the objects of a commit that cannot be reached from head. It does not check that
// all of them were sent.
func (b *branch) fetchNew(ctx context.Context, session transport.UploadPackSession, refs *packp.AdvRefs, commit plumbing.Hash) error {
	if !refs.Capabilities.Supports(capability.Shallow) {
		session.Close() //nolint:errcheck // everything is fetched instead
		return errors.New("the server knows no shallow fetch")
	}
	ask := commitRequest(refs, commit, b.objects.partial && !b.whole && sendsBlobs(refs))
	ask.Shallows = []plumbing.Hash{b.shallow}
	ask.Haves = []plumbing.Hash{b.head}
	// Without a thin pack, git sends all objects of a shallow commit.
	if refs.Capabilities.Supports(capability.ThinPack) {
		ask.Capabilities.Set(capability.ThinPack) //nolint:errcheck // it takes no value
	}
	if err := fetch(ctx, session, ask, b.objects, b.objects); err != nil {
		return err
	}
	b.head, b.shallow = commit, commit
	return nil
}

// sendsBlobs reports whether a server supports fetches without blobs and of single blobs.
func sendsBlobs(refs *packp.AdvRefs) bool {
	return refs.Capabilities.Supports(capability.Filter) && refs.Capabilities.Supports(capability.AllowReachableSHA1InWant)
}

// request returns a request for objects by their hashes.
func request(refs *packp.AdvRefs, wants ...plumbing.Hash) *packp.UploadPackRequest {
	ask := packp.NewUploadPackRequestFromCapabilities(refs.Capabilities)
	ask.Capabilities.Delete(capability.ThinPack)
	ask.Wants = wants
	for _, wish := range []capability.Capability{capability.Shallow, capability.NoProgress} {
		if refs.Capabilities.Supports(wish) {
			ask.Capabilities.Set(wish) //nolint:errcheck // neither takes a value
		}
	}
	return ask
}

func commitRequest(refs *packp.AdvRefs, commit plumbing.Hash, withoutBlobs bool) *packp.UploadPackRequest {
	ask := request(refs, commit)
	if refs.Capabilities.Supports(capability.Shallow) {
		ask.Depth = packp.DepthCommits(1)
	}
	if withoutBlobs {
		ask.Capabilities.Set(capability.Filter) //nolint:errcheck // it takes no value
		ask.Filter = packp.FilterBlobNone()
	}
	return ask
}

// fetch receives a pack, stores its objects in into, and closes the session. Deltas may have bases
// in held, which may be nil.
func fetch(ctx context.Context, session transport.UploadPackSession, ask *packp.UploadPackRequest, into, held *objects) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer session.Close() //nolint:errcheck // the response was checked
	answer, err := session.UploadPack(ctx, ask)
	if err != nil {
		return err
	}
	defer answer.Close() //nolint:errcheck // the response was checked
	err = unpack(demultiplexed(answer, ask.Capabilities, nil), into, held)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
