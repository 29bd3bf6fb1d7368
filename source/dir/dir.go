// Package dir reads directories and files of YAML into a [source.Snapshot], and reports changes. It
// does I/O: it reads files and watches directories.
package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kratix-schedule/kratix-schedule/source"
)

// Stdin is the path of standard input.
const Stdin = "-"

// Source reads YAML files. It is safe for concurrent use. Its fields must not be modified after its
// first use.
type Source struct {
	// Paths are files, directories, or Stdin.
	Paths []string
	// Recursive means that files in subdirectories are read.
	Recursive bool
	// Exclude are patterns of paths that are not read.
	Exclude []Exclusion
	// Stdin is the input for the path "-". It is read once.
	Stdin io.Reader
	// Now returns the time. If it is nil, each full scan reads all files.
	Now func() time.Time
	// RemovalDelay is the time for which an object must be missing before it is removed from the
	// snapshot. It applies while Changes runs.
	RemovalDelay time.Duration

	pending pending

	// scanning serializes scans, and guards the fields below.
	scanning        sync.Mutex
	collection      *source.Collection
	inputs          []*input
	delayedRemovals map[fileID]*delayedRemoval
	// absent are the missing objects by name. A value is set once the object has been missing for
	// RemovalDelay.
	absent map[string]*atomic.Bool
	scans  int
	// delayElapsed is set once the files have been watched for RemovalDelay.
	delayElapsed *atomic.Bool
}

var _ source.Source = (*Source)(nil)

// ErrPath is the error of an input path that cannot be read.
var ErrPath = errors.New("cannot read the path")

// Snapshot reads the files that have changed since the last Snapshot. Unchanged objects keep their
// pointers. A missing input path is an error; an unreadable file in a directory is a finding.
//
// A file may be half written. While Changes runs, the removal of objects is therefore delayed, and
// the objects of a broken file stay until the file is valid or deleted.
func (s *Source) Snapshot(ctx context.Context) (source.Snapshot, error) {
	s.scanning.Lock()
	defer s.scanning.Unlock()
	if s.collection == nil {
		s.collection, s.delayedRemovals, s.absent = source.NewCollection(), map[fileID]*delayedRemoval{}, map[string]*atomic.Bool{}
		for rank, path := range s.Paths {
			s.inputs = append(s.inputs, newInput(rank, path))
		}
	}
	s.scans++
	run := &scan{Source: s, task: s.pending.take()}
	if err := run.run(ctx); err != nil {
		s.pending.scanAll()
		return source.Snapshot{}, err
	}
	s.noteUnread()
	snapshot := s.collection.Snapshot()
	snapshot.Settling, snapshot.Missing = run.watched && !s.isDelayElapsed(), s.stillMissing()
	return snapshot, nil
}

// isDelayElapsed reports whether the files have been watched for RemovalDelay.
func (s *Source) isDelayElapsed() bool {
	if s.delayElapsed == nil && s.RemovalDelay <= 0 {
		return true
	}
	if s.delayElapsed == nil {
		var begun delays
		s.delayElapsed = begun.add()
		begun.wait(s, s.RemovalDelay)
	}
	return s.delayElapsed.Load()
}

func (s *Source) stillMissing() int {
	count := 0
	for _, lasted := range s.absent {
		if !lasted.Load() {
			count++
		}
	}
	return count
}

// ReadAll makes the next Snapshot check every file. It is needed on network file systems, which
// send no events for changes by other hosts.
func (s *Source) ReadAll() { s.pending.scanAll() }

// now returns the time, or the beginning of 1970 if there is no clock.
func (s *Source) now() time.Time {
	if s.Now == nil {
		return time.Unix(0, 0)
	}
	return s.Now()
}

func pathError(path string, err error) error {
	return fmt.Errorf("%w %s: %w", ErrPath, path, unreadable(path, err))
}

func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
