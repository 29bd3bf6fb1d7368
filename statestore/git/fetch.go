package git

import (
	"context"
	"errors"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/storage/memory"
)

// minTidy is how many objects may be added before the unreachable ones go.
const minTidy = 20_000

// pull brings head to the branch's newest commit, or to the commit the branch
// will start from.
func (s *Store) pull(ctx context.Context) error {
	there, err := s.remote.exists()
	if err != nil {
		return err
	}
	if !there {
		s.head = plumbing.ZeroHash
		return nil
	}
	session, refs, err := advertise(ctx, s.remote, s.remote.client.NewUploadPackSession)
	if err != nil {
		return err
	}
	start := s.remote.start(refs)
	if start.IsZero() || start == s.head {
		session.Close() //nolint:errcheck // the answer is there
		s.head = start
		return nil
	}
	if s.head.IsZero() {
		return s.fetchAll(ctx, session, refs, start)
	}
	if s.fetchNews(ctx, session, refs, start) == nil {
		return nil
	}
	session, refs, err = advertise(ctx, s.remote, s.remote.client.NewUploadPackSession)
	if err != nil {
		return err
	}
	return s.fetchAll(ctx, session, refs, s.remote.start(refs))
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

// fetchAll replaces everything that is known by one commit.
func (s *Store) fetchAll(ctx context.Context, session transport.UploadPackSession, refs *packp.AdvRefs, commit plumbing.Hash) error {
	got, err := fetch(ctx, session, request(refs, commit), nil)
	if err != nil {
		return err
	}
	return s.become(commit, commit, newObjects(got))
}

// fetchNews asks only for what head does not have. A server that sends too
// little is found out here, since every new file is looked at.
func (s *Store) fetchNews(ctx context.Context, session transport.UploadPackSession, refs *packp.AdvRefs, commit plumbing.Hash) error {
	ask := request(refs, commit)
	if !refs.Capabilities.Supports(capability.Shallow) {
		session.Close() //nolint:errcheck // everything is fetched instead
		return errors.New("the server knows no shallow fetch")
	}
	ask.Shallows = []plumbing.Hash{s.shallow}
	ask.Haves = []plumbing.Hash{s.head}
	// Without a thin pack git compares a shallow commit with nothing.
	ask.Capabilities.Set(capability.ThinPack) //nolint:errcheck // it takes no value
	got, err := fetch(ctx, session, ask, s.objects)
	if err != nil {
		return err
	}
	s.objects.add(got)
	return s.become(commit, commit, s.objects)
}

// become moves to another commit when all of it is there, and else stays.
func (s *Store) become(head, shallow plumbing.Hash, held *objects) error {
	before := [...]plumbing.Hash{s.head, s.shallow}
	had := s.objects
	s.head, s.shallow, s.objects = head, shallow, held
	err := s.look()
	if err != nil {
		s.head, s.shallow, s.objects = before[0], before[1], had
	}
	return err
}

// tidy drops what head does not reach once that may be half of everything.
func (s *Store) tidy() error {
	if s.head.IsZero() || s.objects.added < max(minTidy, len(s.objects.byHash)/2) {
		return nil
	}
	kept, err := s.objects.reachable(s.head)
	if err != nil {
		return err
	}
	s.objects, s.shallow = kept, s.head
	return s.look()
}

// request asks for one commit without its history.
func request(refs *packp.AdvRefs, commit plumbing.Hash) *packp.UploadPackRequest {
	ask := packp.NewUploadPackRequestFromCapabilities(refs.Capabilities)
	ask.Wants = []plumbing.Hash{commit}
	for _, wish := range []capability.Capability{capability.Shallow, capability.NoProgress} {
		if refs.Capabilities.Supports(wish) {
			ask.Capabilities.Set(wish) //nolint:errcheck // neither takes a value
		}
	}
	if refs.Capabilities.Supports(capability.Shallow) {
		ask.Depth = packp.DepthCommits(1)
	}
	return ask
}

// fetch receives a pack and closes the session. Deltas in the pack may build on
// what is held.
func fetch(ctx context.Context, session transport.UploadPackSession, ask *packp.UploadPackRequest, held *objects) (
	map[plumbing.Hash]plumbing.EncodedObject, error) {

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer session.Close() //nolint:errcheck // what came was checked
	answer, err := session.UploadPack(ctx, ask)
	if err != nil {
		return nil, err
	}
	defer answer.Close() //nolint:errcheck // what came was checked
	var pack io.Reader = answer
	switch {
	case ask.Capabilities.Supports(capability.Sideband64k):
		pack = sideband.NewDemuxer(sideband.Sideband64k, answer)
	case ask.Capabilities.Supports(capability.Sideband):
		pack = sideband.NewDemuxer(sideband.Sideband, answer)
	}
	return unpack(pack, held)
}

func unpack(pack io.Reader, held *objects) (map[plumbing.Hash]plumbing.EncodedObject, error) {
	received := onTop{Storage: memory.NewStorage(), held: held}
	parser, err := packfile.NewParserWithStorage(packfile.NewScanner(pack), received)
	if err != nil {
		return nil, err
	}
	if _, err := parser.Parse(); err != nil && !errors.Is(err, packfile.ErrEmptyPackfile) {
		return nil, err
	}
	return received.Objects, nil
}

// onTop receives objects and also finds those that are held already.
type onTop struct {
	*memory.Storage
	held *objects
}

// EncodedObject finds an object received or held.
func (o onTop) EncodedObject(kind plumbing.ObjectType, hash plumbing.Hash) (plumbing.EncodedObject, error) {
	found, err := o.Storage.EncodedObject(kind, hash)
	if err == nil || o.held == nil {
		return found, err
	}
	if found, err = o.held.get(hash); err != nil || (kind != plumbing.AnyObject && kind != found.Type()) {
		return nil, plumbing.ErrObjectNotFound
	}
	return found, nil
}
