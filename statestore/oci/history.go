package oci

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

var (
	_ statestore.Historian  = (*Store)(nil)
	_ statestore.LogReader  = (*Store)(nil)
	_ statestore.PastReader = (*Store)(nil)
)

// At returns the state at an earlier revision, as long as the registry keeps its artifact.
func (s *Store) At(ctx context.Context, revision statestore.Revision) (statestore.State, error) {
	of := digest.Digest(revision)
	if of.Validate() != nil {
		return statestore.State{}, s.failure("read", statestore.ErrUnknownRevision)
	}
	read, unpacked, err := s.fetch(ctx, of)
	if isMissing(err) {
		err = statestore.ErrUnknownRevision
	}
	if err != nil {
		return statestore.State{}, s.failure("read", err)
	}
	return statestore.State{
		Revision: revision, Files: unpacked.state(statestore.Files{}), Obstacles: unpacked.obstacles(), Contents: view{store: s, of: read},
	}, nil
}

// FileAt returns the content of a file at a revision.
func (s *Store) FileAt(ctx context.Context, revision statestore.Revision, path tree.Path) (content []byte, exists bool, err error) {
	state, err := s.At(ctx, revision)
	if err != nil || !state.Files.Has(path) {
		return nil, false, err
	}
	content, err = state.Contents.Content(ctx, path)
	return content, err == nil, err
}

// Log returns the newest artifacts that the registry keeps. The parameter most is
// their maximum number.
func (s *Store) Log(ctx context.Context, most int) (statestore.Log, error) {
	var log statestore.Log
	of, err := s.resolve(ctx, latest)
	unnamed := 0
	for err == nil && of != "" {
		if len(log.Entries) == most {
			log.More = true
			break
		}
		var read *artifact
		read, err = s.described(ctx, of)
		if isMissing(err) && len(log.Entries) > 0 {
			err = nil
			break
		}
		if err != nil {
			break
		}
		log.Entries = append(log.Entries, statestore.LogEntry{
			Revision: revisionOf(read), Parent: statestore.Revision(read.previous), Time: read.created, Files: read.changed,
		})
		if !read.named {
			unnamed++
		}
		of = read.previous
	}
	if err != nil {
		return statestore.Log{}, s.failure("read", err)
	}
	if unnamed > 0 {
		log.Warnings = append(log.Warnings, fmt.Sprintf("%d revisions do not name the files that they changed", unnamed))
	}
	return log, nil
}

// described reads the manifest of an artifact.
func (s *Store) described(ctx context.Context, of digest.Digest) (*artifact, error) {
	manifest, err := s.manifest(ctx, of)
	if err != nil {
		return nil, err
	}
	return parseArtifact(of, manifest, s.dir)
}
