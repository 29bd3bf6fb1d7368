package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// every is the interval at which the input paths are checked, because a replaced directory causes
// no event.
const every = time.Second

var errTooMany = errors.New("it has more directories than may be watched: raise fs.inotify.max_user_watches")

// Changes reports changes of the input files until ctx ends. It misses changes of link targets
// outside the inputs, and changes by other hosts on a network file system; ReadAll finds both.
func (s *Source) Changes(ctx context.Context) (<-chan struct{}, error) {
	w := &watch{source: s, woken: make(chan struct{}, 1)}
	if err := w.start(); err != nil {
		return nil, err
	}
	changes := make(chan struct{}, 1)
	go w.follow(ctx, changes)
	return changes, nil
}

type watch struct {
	source *Source
	// woken receives a value if a change must be reported without an event.
	woken chan struct{}
	scope
	// broken means that the watch may miss events and must be started again.
	broken bool
}

type scope struct {
	*fsnotify.Watcher
	roots []root
	dirs  map[string]struct{}
	skips func(name string) bool
}

// root is a watched directory: an input path, or the parent directory of one.
type root struct {
	path string
	info fs.FileInfo
}

func (w *watch) start() error {
	now, err := w.source.watchAll()
	if err != nil {
		return err
	}
	w.close()
	w.scope, w.broken = now, false
	sees := fullCoverage
	if aliased(now.roots) {
		sees = partialCoverage
	}
	w.source.pending.watch(w, sees)
	return nil
}

func (w *watch) close() {
	if w.Watcher != nil {
		_ = w.Close()
	}
}

func (s *Source) watchAll() (scope, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return scope{}, fmt.Errorf("watch the input: %w", err)
	}
	all := scope{Watcher: watcher, dirs: map[string]struct{}{}, skips: s.excludesEverywhere}
	for _, path := range s.Paths {
		if path == Stdin {
			continue
		}
		if err := all.addPath(path, s.Recursive); err != nil {
			_ = watcher.Close()
			return scope{}, pathError(path, err)
		}
	}
	return all, nil
}

// addPath watches a directory, or the parent directory of a file, because editors replace files.
func (s *scope) addPath(path string, recursive bool) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	dir := path
	if !info.IsDir() {
		dir, recursive = filepath.Dir(path), false
		if info, err = os.Stat(dir); err != nil {
			return err
		}
	}
	s.roots = append(s.roots, root{dir, info})
	if recursive {
		return s.addBelow(dir)
	}
	return s.addDir(dir)
}

// addBelow watches a directory tree without its hidden and excluded directories. It watches each
// directory before it lists the entries, so that no entry is missed.
func (s *scope) addBelow(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case path != dir && errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || !entry.IsDir():
			return err
		case path != dir && (isHidden(path) || s.skips(path)):
			return fs.SkipDir
		}
		if err := s.addDir(path); path == dir || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return fs.SkipDir
	})
}

func (s *scope) addDir(dir string) error {
	s.dirs[filepath.Clean(dir)] = struct{}{}
	err := s.Add(dir)
	if errors.Is(err, syscall.ENOSPC) {
		return errTooMany
	}
	return err
}

// moved reports whether a watched directory is another directory than before, or cannot be read.
func (s *scope) moved() bool {
	for _, root := range s.roots {
		info, err := os.Stat(root.path)
		if err != nil || !os.SameFile(info, root.info) {
			return true
		}
	}
	return false
}

// aliased reports whether a directory may have two names. Events contain only one of the names.
func aliased(roots []root) bool {
	actual := make([]string, len(roots))
	for i, root := range roots {
		path, err := filepath.EvalSymlinks(root.path)
		if err != nil {
			return true
		}
		actual[i] = path
	}
	for i, outer := range roots {
		for j, inner := range roots {
			really, inside := below(actual[i], actual[j])
			if spelled, _ := below(outer.path, inner.path); inside && spelled != really {
				return true
			}
		}
	}
	return false
}

func below(dir, path string) (string, bool) {
	dir, errDir := filepath.Abs(dir)
	path, errPath := filepath.Abs(path)
	relative, err := filepath.Rel(dir, path)
	return relative, errors.Join(errDir, errPath, err) == nil && filepath.IsLocal(relative)
}
