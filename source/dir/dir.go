// Package dir reads directories and files of YAML into a [source.Snapshot], and reports changes. It
// does I/O: it reads files and watches directories, and writes nothing.
//
// The first Snapshot reads all files. A later Snapshot reads the files for which the file system
// has reported an event, and those whose size, time or inode differs.
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
	// Recursive means that files in subdirectories are read too.
	Recursive bool
	// Exclude are patterns of paths in input directories that are not read.
	Exclude []Exclusion
	// Stdin is read once for the path "-", and its content is cached.
	Stdin io.Reader
	// Now returns the time. If it is nil, each full scan reads all files, because without the time,
	// an equal size and equal times do not prove that a file is unchanged.
	Now func() time.Time
	// RemovalDelay is how long an object must be missing, while Changes runs, before it is removed
	// from the snapshot. If it is zero, the object is removed once its file has been unchanged for
	// a second.
	RemovalDelay time.Duration

	pending pending

	// scanning serializes reads, and guards the fields below.
	scanning        sync.Mutex
	collection      *source.Collection
	inputs          []*input
	delayedRemovals map[fileID]*delayedRemoval
	// absent are the objects that are missing from the files and whose removal is delayed. The
	// value is set once the object has been missing for RemovalDelay.
	absent map[string]*atomic.Bool
	scans  int
	// delayElapsed is set once the files have been watched for RemovalDelay. It is nil until it is
	// needed.
	delayElapsed *atomic.Bool
}

var _ source.Source = (*Source)(nil)

// ErrPath is the error of an input path that cannot be read.
var ErrPath = errors.New("cannot read the path")

// Snapshot reads the files that have changed. While Changes runs, it checks only files for which
// there was an event, unless events may be missing. Unchanged objects have the same pointers as in
// the last Snapshot. A missing input path is an error; an unreadable file in a directory is a
// finding.
//
// A file that removes something may be half written. While Changes runs, its content takes effect
// once the file has been unchanged for a second, and the removed objects stay in the snapshot until
// they have been missing for RemovalDelay. The objects of a file that is empty or cannot be read
// stay until the file is valid or deleted.
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

// isDelayElapsed reports whether the files have been watched for RemovalDelay. Before that, a
// missing file may be one that another program is replacing.
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

// ReadAll makes the next Snapshot check every file. On network file systems, ReadAll is needed
// because they send no events for changes by other hosts.
func (s *Source) ReadAll() { s.pending.scanAll() }

// now returns the time. Without a clock, it returns the beginning of 1970, so that no file is old.
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
