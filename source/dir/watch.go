package dir

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quiet is how long nothing may change before "look again" is said, so that a
// copy of many files is one change.
const quiet = 100 * time.Millisecond

// Changes watches the directories, and those of the files. Standard input never
// changes.
func (s *Source) Changes(ctx context.Context) (<-chan struct{}, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch the input: %w", err)
	}
	if err := s.watch(watcher); err != nil {
		_ = watcher.Close()
		return nil, err
	}
	changes := make(chan struct{}, 1)
	go s.follow(ctx, watcher, changes)
	return changes, nil
}

func (s *Source) watch(watcher *fsnotify.Watcher) error {
	for _, path := range s.Paths {
		if path == Stdin {
			continue
		}
		if err := s.watchPath(watcher, path); err != nil {
			return fmt.Errorf("%w %s: %w", ErrPath, path, reason(err))
		}
	}
	return nil
}

// watchPath watches a directory, or the one that a file is in: editors and
// Kubernetes replace files rather than write to them.
func (s *Source) watchPath(watcher *fsnotify.Watcher, path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return watcher.Add(filepath.Dir(path))
	case !s.Recursive:
		return watcher.Add(path)
	}
	return filepath.WalkDir(path, func(below string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || !entry.IsDir():
			return err
		case below != path && isHidden(below):
			return fs.SkipDir
		}
		return watcher.Add(below)
	})
}

// follow turns bursts of events into single changes, until ctx ends.
func (s *Source) follow(ctx context.Context, watcher *fsnotify.Watcher, changes chan<- struct{}) {
	defer close(changes)
	defer func() { _ = watcher.Close() }()
	timer := time.NewTimer(quiet)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-watcher.Events:
			if event.Has(fsnotify.Create) && s.Recursive && !isHidden(event.Name) {
				_ = s.watchPath(watcher, event.Name) // gone again already, or a file: its directory is watched
			}
			timer.Reset(quiet)
		case <-watcher.Errors: //nolint:errcheck // the queue overflowed: look at everything
			timer.Reset(quiet)
		case <-timer.C:
			select {
			case changes <- struct{}{}:
			default: // said already, not heard yet
			}
		}
	}
}
