// Package dir turns directories and files of YAML into a Snapshot, and reports
// when they change. It reads the disk: everything at first, and then what the
// file system says has changed, or what has another size, time or inode.
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

// Stdin is the path that means standard input.
const Stdin = "-"

// Source reads YAML files. It may be used by several goroutines; its fields
// must not change once it is in use.
type Source struct {
	// Paths are files, directories, or Stdin.
	Paths []string
	// Recursive reads the directories below directories as well.
	Recursive bool
	// Exclude are patterns of paths below directories that are not read.
	Exclude []Exclusion
	// Stdin is what the path "-" reads. It can be read only once, so what it
	// returns is kept.
	Stdin io.Reader
	// Now returns the time. Without it no file is ever old enough to be taken for
	// unchanged by its size and times, so that each look at everything reads all.
	Now func() time.Time
	// RemovalDelay is how long an object must be missing before that counts, while
	// Changes runs. Zero waits only until the files are at rest.
	RemovalDelay time.Duration

	pending pending

	// looking guards what follows: there is one look at a time.
	looking    sync.Mutex
	collection *source.Collection
	inputs     []*input
	held       map[fileID]*hold
	// absent are the objects that held files take away; each is set once its absence
	// has lasted for RemovalDelay.
	absent map[string]*atomic.Bool
	looks  int
	// settled is set once the files have been watched for RemovalDelay; nil before
	// the first look.
	settled *atomic.Bool
}

var _ source.Source = (*Source)(nil)

// ErrPath is a path that the user gave and that cannot be used.
var ErrPath = errors.New("cannot read the path")

// Snapshot looks at the files. While Changes runs these are the files that the
// file system reports, else all of them. What did not change is the same in
// memory as in the last Snapshot. A path that is not there is an error; a file
// in a directory that cannot be read is a finding.
//
// While Changes runs, the content of a file that takes something away counts once
// the file has rested for a second, since it may be half written; the objects that
// it takes away count until they have been missing for RemovalDelay. The objects of
// a file that is empty or cannot be read count until it can be read again.
func (s *Source) Snapshot(ctx context.Context) (source.Snapshot, error) {
	s.looking.Lock()
	defer s.looking.Unlock()
	if s.collection == nil {
		s.collection, s.held, s.absent = source.NewCollection(), map[fileID]*hold{}, map[string]*atomic.Bool{}
		for rank, path := range s.Paths {
			s.inputs = append(s.inputs, newInput(rank, path))
		}
	}
	s.looks++
	look := &look{Source: s, task: s.pending.take()}
	if err := look.run(ctx); err != nil {
		s.pending.lookAgain()
		return source.Snapshot{}, err
	}
	s.noteUnread()
	snapshot := s.collection.Snapshot()
	snapshot.Settling, snapshot.Missing = look.watched && !s.isSettled(), s.stillMissing()
	return snapshot, nil
}

// isSettled reports whether the files have been watched for as long as a removal
// must last. A file that is missing when the watch begins may only be about to be
// replaced.
func (s *Source) isSettled() bool {
	if s.settled == nil && s.RemovalDelay <= 0 {
		return true
	}
	if s.settled == nil {
		var begun waiting
		s.settled = begun.add()
		begun.wait(s, s.RemovalDelay)
	}
	return s.settled.Load()
}

// stillMissing counts the objects whose absence has not lasted yet.
func (s *Source) stillMissing() int {
	count := 0
	for _, lasted := range s.absent {
		if !lasted.Load() {
			count++
		}
	}
	return count
}

// LookAgain makes the next Snapshot look at every file, as file systems on a
// network need it, which do not report what others change.
func (s *Source) LookAgain() { s.pending.lookAgain() }

// now returns the time, or that it is before that of any file.
func (s *Source) now() time.Time {
	if s.Now == nil {
		return time.Unix(0, 0)
	}
	return s.Now()
}

// pathError names a path that cannot be used.
func pathError(path string, err error) error {
	return fmt.Errorf("%w %s: %w", ErrPath, path, unreadable(path, err))
}

// reason takes the path out of an error that is shown beside it.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
