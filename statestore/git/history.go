package git

import (
	"context"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

var _ statestore.LogReader = (*Store)(nil)

// maxLog is the maximum number of commits that Log returns. maxCommit is the maximum size in bytes
// of a commit whose message it returns.
const (
	maxLog    = 10_000
	maxCommit = 1 << 20
)

// Log returns the newest commits of the branch along their first parents. The parameter most is
// their maximum number.
func (s *Store) Log(ctx context.Context, most int) (statestore.Log, error) {
	if err := s.begin(ctx); err != nil {
		return statestore.Log{}, err
	}
	defer s.end()
	start, held, err := s.fetchLog(ctx, min(most, maxLog))
	if err != nil {
		return statestore.Log{}, s.failure("read", err)
	}
	log, err := readLog(held, start, min(most, maxLog))
	if err != nil {
		return statestore.Log{}, s.failure("read", err)
	}
	return log, nil
}

func (b *branch) fetchLog(ctx context.Context, most int) (plumbing.Hash, *objects, error) {
	into := newObjects()
	if there, err := b.remote.exists(); err != nil || !there {
		return plumbing.ZeroHash, into, err
	}
	session, refs, err := advertise(ctx, b.remote, b.remote.client.NewUploadPackSession)
	if err != nil {
		return plumbing.ZeroHash, nil, err
	}
	start := refs.References[b.remote.branch.String()]
	if start.IsZero() {
		session.Close() //nolint:errcheck // the response is complete
		return start, into, b.remote.checkBranch(refs)
	}
	ask := commitRequest(refs, start, false)
	if refs.Capabilities.Supports(capability.Filter) {
		ask.Capabilities.Set(capability.Filter) //nolint:errcheck // it takes no value
		ask.Filter = packp.FilterTreeDepth(0)
	} else {
		most = min(most, maxPastDepth)
	}
	if !ask.Depth.IsZero() {
		ask.Depth = packp.DepthCommits(most)
	}
	return start, into, fetch(ctx, session, ask, into, nil)
}

// readLog returns commits from start along their first parents. The
// parameter most is their maximum number.
func readLog(held *objects, start plumbing.Hash, most int) (statestore.Log, error) {
	var log statestore.Log
	for next := start; !next.IsZero(); {
		if len(log.Entries) == most || !held.has(next) {
			log.More = true
			break
		}
		encoded, err := held.get(next)
		if err != nil {
			return log, err
		}
		entry := statestore.LogEntry{Revision: revision(next)}
		var decoded object.Commit
		if err := decoded.Decode(encoded); err != nil {
			return log, err
		}
		entry.Time, entry.Author, entry.Committer = decoded.Committer.When, signature(decoded.Author), signature(decoded.Committer)
		if encoded.Size() <= maxCommit {
			entry.Message = decoded.Message
		}
		next = plumbing.ZeroHash
		if len(decoded.ParentHashes) > 0 {
			next = decoded.ParentHashes[0]
		}
		entry.Parent = revision(next)
		log.Entries = append(log.Entries, entry)
	}
	return log, nil
}

func signature(who object.Signature) string {
	return strings.TrimSpace(who.Name + " <" + who.Email + ">")
}
