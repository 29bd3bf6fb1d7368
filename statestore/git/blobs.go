package git

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// A missing blob is fetched together with missing blobs of the next files. The number of blobs in a
// request grows from minAhead to maxAhead.
const (
	minAhead = 32
	maxAhead = 4096
)

type prefetched struct {
	mu   sync.Mutex
	next int
}

func (a *prefetched) wants(p tree.Path, files statestore.Files, held *objects) []plumbing.Hash {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next = max(a.next, minAhead)
	var wants []plumbing.Hash
	for _, known := range files.From(p) {
		if len(wants) == a.next {
			break
		}
		if hash := blobOf(known); !held.has(hash) {
			wants = append(wants, hash)
		}
	}
	a.next = min(2*a.next, maxAhead)
	return wants
}

// fetchBlobs fetches blobs of a commit, or all objects of the commit if the server does not send
// single blobs.
func (b *branch) fetchBlobs(ctx context.Context, commit plumbing.Hash, into *objects, wants []plumbing.Hash) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	defer b.end()
	return b.getBlobs(ctx, commit, into, wants)
}

// getBlobs is fetchBlobs for a caller that holds the branch's token.
func (b *branch) getBlobs(ctx context.Context, commit plumbing.Hash, into *objects, wants []plumbing.Hash) error {
	defer func(before growth) { into.grown = before }(into.grown)
	if !b.whole {
		session, refs, err := advertise(ctx, b.remote, b.remote.client.NewUploadPackSession)
		if err != nil {
			return err
		}
		err = fetch(ctx, session, request(refs, wants...), into, nil)
		if err == nil || !isRefusedWant(err) {
			return err
		}
		b.whole = true
	}
	session, refs, err := advertise(ctx, b.remote, b.remote.client.NewUploadPackSession)
	if err != nil {
		return err
	}
	return fetch(ctx, session, commitRequest(refs, commit, false), into, nil)
}

// isRefusedWant reports whether the server has refused to send objects by their hashes.
func isRefusedWant(err error) bool {
	if err == nil {
		return false
	}
	var line *pktline.ErrorLine
	var said serviceError
	text := err.Error()
	switch {
	case errors.As(err, &line):
		text = line.Text
	case errors.As(err, &said):
		text += said.words
	}
	return strings.Contains(text, "not our ref") || strings.Contains(text, "unadvertised object") || strings.Contains(text, "not valid")
}
