// Package memory implements a state store in the memory of the process. It does no I/O.
package memory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Store keeps its files in memory. It is safe for concurrent use.
type Store struct {
	name string

	mu        sync.Mutex
	version   int
	files     statestore.Files
	obstacles statestore.Obstacles
	refused   []tree.Path
	past      []statestore.Files
	log       []statestore.LogEntry
	// contents has all contents that were ever written, because older States may still read them.
	contents map[statestore.Digest][]byte
}

var (
	_ statestore.Store     = (*Store)(nil)
	_ statestore.Historian = (*Store)(nil)
	_ statestore.LogReader = (*Store)(nil)
)

// New returns an empty store. name is its name in errors.
func New(name string) *Store { return &Store{name: name, contents: map[statestore.Digest][]byte{}} }

// Read returns the current files.
func (s *Store) Read(ctx context.Context) (statestore.State, error) {
	if err := statestore.Ended(ctx, "read", s.name); err != nil {
		return statestore.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return statestore.State{Revision: s.revision(), Files: s.files, Obstacles: s.obstacles, Contents: view{s, s.files}}, nil
}

// At returns the state at an earlier revision. Obstacles are not included.
func (s *Store) At(ctx context.Context, revision statestore.Revision) (statestore.State, error) {
	if err := statestore.Ended(ctx, "read", s.name); err != nil {
		return statestore.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	version, err := strconv.Atoi(string(revision))
	if err != nil || version < 1 || version > len(s.past) {
		return statestore.State{}, &statestore.Error{Op: "read", Store: s.name, Err: statestore.ErrUnknownRevision}
	}
	files := s.past[version-1]
	return statestore.State{Revision: revision, Files: files, Contents: view{s, files}}, nil
}

// Obstruct adds entries that are neither files nor directories.
func (s *Store) Obstruct(obstacles ...statestore.Obstacle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.obstacles = s.obstacles.With(obstacles)
	s.advance()
}

// Refuse makes the store reject later changes that write one of the paths.
func (s *Store) Refuse(paths ...tree.Path) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, paths...)
}

// Apply makes the changes. It returns ErrStale if the base is not current, and ErrContentRefused
// for paths that Refuse has added.
func (s *Store) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if changes.Empty() {
		return changes.Base, nil
	}
	if err := statestore.Ended(ctx, "write", s.name); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if changes.Base != s.revision() {
		return "", &statestore.Error{Op: "write", Store: s.name, Err: statestore.ErrStale}
	}
	if refused := s.refusedOf(changes); len(refused) > 0 {
		return "", &statestore.Error{
			Op: "write", Store: s.name, Err: statestore.ErrContentRefused, Paths: refused, Fix: "write another path",
		}
	}
	var now []statestore.FileChange
	for _, path := range changes.Remove {
		now = append(now, statestore.FileChange{Path: path, Gone: true})
	}
	for _, file := range changes.Write {
		sum := statestore.Digest(sha256.Sum256(file.Content))
		s.contents[sum] = bytes.Clone(file.Content)
		now = append(now, statestore.FileChange{Path: file.Path, Digest: sum})
	}
	s.files = s.files.With(now)
	s.advance()
	s.log[len(s.log)-1].Message = message(changes.Placements)
	return s.revision(), nil
}

func (s *Store) refusedOf(changes statestore.ChangeSet) []tree.Path {
	var refused []tree.Path
	for _, file := range changes.Write {
		if slices.Contains(s.refused, file.Path) {
			refused = append(refused, file.Path)
		}
	}
	return refused
}

func (s *Store) advance() {
	parent := s.revision()
	s.version++
	s.log = append(s.log, statestore.LogEntry{Revision: s.revision(), Parent: parent})
	s.past = append(s.past, s.files)
}

func (s *Store) revision() statestore.Revision {
	if s.version == 0 {
		return ""
	}
	return statestore.Revision(strconv.Itoa(s.version))
}

type view struct {
	store *Store
	files statestore.Files
}

func (view) Digest(content []byte) statestore.Digest { return sha256.Sum256(content) }

func (v view) Content(_ context.Context, p tree.Path) ([]byte, error) {
	sum, ok := v.files.Digest(p)
	if !ok {
		return nil, fmt.Errorf("no file %s", p)
	}
	v.store.mu.Lock()
	defer v.store.mu.Unlock()
	return v.store.contents[sum], nil
}
