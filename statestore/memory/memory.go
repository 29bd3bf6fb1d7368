// Package memory is a state store that lives as long as the process: what
// validate checks against, and what tests write to. It does no I/O.
package memory

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"strconv"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// Store holds its files in memory. It is safe for concurrent use.
type Store struct {
	name string

	mu      sync.Mutex
	version int
	files   contents
}

var _ statestore.Store = (*Store)(nil)

// New makes an empty store; name is what its errors call it.
func New(name string) *Store { return &Store{name: name, files: contents{}} }

// Read gives the current files.
func (s *Store) Read(ctx context.Context) (statestore.State, error) {
	if err := s.ended(ctx, "read"); err != nil {
		return statestore.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held := maps.Clone(s.files)
	sums := make(map[tree.Path]statestore.Sum, len(held))
	for path, content := range held {
		sums[path] = held.Sum(content)
	}
	return statestore.State{Revision: s.revision(), Files: sums, Contents: held}, nil
}

// Apply makes all changes or fails with ErrStale.
func (s *Store) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if changes.Empty() {
		return changes.Base, nil
	}
	if err := s.ended(ctx, "write"); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if changes.Base != s.revision() {
		return "", &statestore.Error{Op: "write", Store: s.name, Err: statestore.ErrStale}
	}
	for _, path := range changes.Remove {
		delete(s.files, path)
	}
	for _, file := range changes.Write {
		s.files[file.Path] = append([]byte{}, file.Content...)
	}
	s.version++
	return s.revision(), nil
}

// ended is the error of a context that has ended.
func (s *Store) ended(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return &statestore.Error{Op: op, Store: s.name, Err: fmt.Errorf("%w: %w", statestore.ErrUnavailable, err)}
	}
	return nil
}

func (s *Store) revision() statestore.Revision {
	if s.version == 0 {
		return ""
	}
	return statestore.Revision(strconv.Itoa(s.version))
}

// contents is never changed in place once a State holds it: Apply replaces
// values, Read clones the map.
type contents map[tree.Path][]byte

func (contents) Sum(content []byte) statestore.Sum { return sha256.Sum256(content) }

func (c contents) Content(_ context.Context, p tree.Path) ([]byte, error) {
	content, ok := c[p]
	if !ok {
		return nil, fmt.Errorf("no file %s", p)
	}
	return content, nil
}
