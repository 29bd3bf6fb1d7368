// Package oci implements a state store in a repository of an OCI registry. It does I/O: it connects
// to registries.
//
// Each Destination has a repository of its own. An artifact has all files of the Destination in one
// layer. The tag latest refers to the newest artifact. The revision is the digest of its manifest.
//
// A registry has no compare-and-swap, so writers take turns by Lamport's bakery algorithm:
//
//   - A writer announces its artifact by a tag with the next generation, and then lists
//     all tags. Of two writers, at least one sees the tag of the other.
//   - A writer that sees no other makes latest refer to its artifact, if latest still
//     refers to its base.
//   - A writer that sees others announces itself again with a later ticket, and waits
//     for the writers before it.
//   - A writer must replace latest within half of Config.Settle after its announcement.
//     Writers ignore an announcement that they first saw Config.Settle ago or earlier.
//
// A write can be lost if the registry carries out a request long after its client has given up, if
// its list of tags is not up to date, or if the process was suspended.
package oci

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// latest is the tag of the newest artifact.
const latest = "latest"

// Store is one repository. It is safe for concurrent use.
type Store struct {
	location
	repository
	config  Config
	signer  *signer
	cache   *cache
	release func()

	token chan struct{} // has one element while a Read or an Apply is in progress

	// newest is the newest artifact that was read or written, or nil. files and links are its files
	// and its symlinks.
	newest *artifact
	files  statestore.Files
	links  statestore.Obstacles
	// seen are the last announcements of the writers, and when they were first seen.
	seen map[announcement]time.Time
	// noDeletions is set once the registry has refused to delete an artifact.
	noDeletions bool
}

var (
	_ statestore.Store  = (*Store)(nil)
	_ statestore.Prober = (*Store)(nil)
	_ io.Closer         = (*Store)(nil)
)

// Close closes the connections, unless another store shares them.
func (s *Store) Close() error {
	s.release()
	return nil
}

// Read returns the state of the newest artifact.
func (s *Store) Read(ctx context.Context) (statestore.State, error) {
	if err := s.begin(ctx); err != nil {
		return statestore.State{}, s.failure("read", err)
	}
	defer s.end()
	if err := s.refresh(ctx); err != nil {
		return statestore.State{}, s.failure("read", err)
	}
	return s.state(), nil
}

func (s *Store) state() statestore.State {
	if s.newest == nil {
		return statestore.State{Contents: view{store: s}}
	}
	return statestore.State{Revision: revisionOf(s.newest), Files: s.files, Obstacles: s.links, Contents: view{store: s, of: s.newest}}
}

// Apply pushes an artifact with the changes, unless the files stay the same.
func (s *Store) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if changes.Empty() {
		return changes.Base, nil
	}
	if err := s.begin(ctx); err != nil {
		return "", s.failure("write", err)
	}
	defer s.end()
	revision, err := s.apply(ctx, changes)
	if err != nil {
		return "", s.failure("write", err)
	}
	return revision, nil
}

func (s *Store) apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	ctx = auth.AppendRepositoryScope(ctx, s.remote.Reference, auth.ActionPull, auth.ActionPush)
	if err := s.refresh(ctx); err != nil {
		return "", err
	}
	base := s.newest
	if revisionOf(base) != changes.Base {
		return "", statestore.ErrStale
	}
	before, err := s.unpacked(ctx, base)
	if err != nil {
		return "", err
	}
	after, same, err := before.with(changes, s.dir)
	if err != nil {
		return "", err
	}
	if same {
		return changes.Base, nil
	}
	layer, err := after.pack(s.dir)
	if err != nil {
		return "", err
	}
	described := descriptor(s.config.MediaType, layer)
	made, manifest, err := s.next(base, described, changes)
	if err != nil {
		return "", err
	}
	if err := s.pushBlobs(ctx, base, described, layer); err != nil {
		return "", err
	}
	if err := s.sign(ctx, made.digest); err != nil {
		return "", err
	}
	tags, err := s.publish(ctx, made, manifest, changes.Base)
	if err != nil {
		return "", err
	}
	s.adopt(made, after)
	s.retain(ctx, tags, made, changes.InUse)
	return revisionOf(made), nil
}

// pushBlobs uploads the blobs of an artifact that base does not have.
func (s *Store) pushBlobs(ctx context.Context, base *artifact, layer ocispec.Descriptor, content []byte) error {
	config := descriptor(FluxConfig, []byte(configContent))
	if base == nil || base.config != config.Digest {
		if err := s.pushBlob(ctx, config, []byte(configContent)); err != nil {
			return err
		}
	}
	if base != nil && base.layer.Digest == layer.Digest {
		return nil
	}
	return s.pushBlob(ctx, layer, content)
}

func revisionOf(a *artifact) statestore.Revision {
	if a == nil {
		return ""
	}
	return statestore.Revision(a.digest)
}

// refresh reads the newest artifact if it has changed.
func (s *Store) refresh(ctx context.Context) error {
	const attempts = 3
	for range attempts {
		found, err := s.resolve(ctx, latest)
		switch {
		case err != nil:
			return err
		case found == "":
			s.newest, s.files, s.links = nil, statestore.Files{}, statestore.Obstacles{}
			return nil
		case s.newest != nil && s.newest.digest == found:
			return nil
		}
		read, unpacked, err := s.fetch(ctx, found)
		if isMissing(err) {
			continue // it was replaced and deleted meanwhile
		}
		if err != nil {
			return err
		}
		s.adopt(read, unpacked)
		return nil
	}
	return statestore.ErrStale
}

// fetch reads an artifact with its files.
func (s *Store) fetch(ctx context.Context, of digest.Digest) (*artifact, *contents, error) {
	read, err := s.described(ctx, of)
	if err != nil {
		return nil, nil, err
	}
	unpacked, err := s.unpacked(ctx, read)
	return read, unpacked, err
}

func (s *Store) key(of *artifact) cacheKey { return cacheKey{of.layer.Digest, s.dir} }

// unpacked returns the files of an artifact, or no files for nil.
func (s *Store) unpacked(ctx context.Context, of *artifact) (*contents, error) {
	if of == nil {
		return &contents{}, nil
	}
	if known, ok := s.cache.get(s.key(of)); ok {
		return known, nil
	}
	layer, err := s.blob(ctx, of.layer, maxLayer)
	if err != nil {
		return nil, err
	}
	read, err := unpack(layer, s.dir)
	if err != nil {
		return nil, err
	}
	s.cache.put(s.key(of), read)
	return read, nil
}

// adopt makes an artifact the newest one.
func (s *Store) adopt(made *artifact, unpacked *contents) {
	s.files = unpacked.state(s.files)
	s.newest, s.links = made, unpacked.obstacles()
	s.cache.put(s.key(made), unpacked)
}

// Probe checks whether the store can be read and written. It begins an upload, and changes no
// artifact.
func (s *Store) Probe(ctx context.Context) error {
	_, err := s.resolve(ctx, latest)
	if err == nil {
		err = s.probe(ctx)
	}
	if err != nil {
		return s.failure("probe", err)
	}
	return nil
}

// begin waits until no other Read or Apply is in progress. It returns the error of ctx if ctx ends
// first.
func (s *Store) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.token <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) end() { <-s.token }

// view has the contents of one artifact. If the artifact was deleted and is not cached, Content
// returns ErrStale.
type view struct {
	store *Store
	of    *artifact
}

// Digest returns the digest of a content.
func (view) Digest(content []byte) statestore.Digest { return statestore.Digest(sum(content)) }

// Content returns the content of a file. The caller must not modify it.
func (v view) Content(ctx context.Context, p tree.Path) ([]byte, error) {
	unpacked, err := v.store.unpacked(ctx, v.of)
	switch {
	case isMissing(err):
		err = errors.Join(statestore.ErrStale, errors.New("the artifact was deleted"))
	case err == nil:
		if content, ok := unpacked.at(p); ok {
			return content, ctx.Err()
		}
		return nil, errors.New("no file " + p.String())
	}
	return nil, v.store.failure("read", err)
}
