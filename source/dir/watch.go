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

// every is how often the paths that the user gave are looked at themselves: a
// directory that was replaced or mounted anew has no more events.
const every = time.Second

// errTooMany is the kernel's limit.
var errTooMany = errors.New("it has more directories than may be watched: raise fs.inotify.max_user_watches")

// Changes watches the directories, and those of the files. A quiet source reports
// of a change within a few milliseconds, a busy one at most twice a second.
// Standard input never changes. What lies outside of the paths and is only
// linked to, and what others change on a file system of a network, is not reported:
// that takes LookAgain. A path that goes is reported, and so is its return.
func (s *Source) Changes(ctx context.Context) (<-chan struct{}, error) {
	w := &watch{source: s, woken: make(chan struct{}, 1)}
	if err := w.start(); err != nil {
		return nil, err
	}
	changes := make(chan struct{}, 1)
	go w.follow(ctx, changes)
	return changes, nil
}

// watch follows what happens to a source's files.
type watch struct {
	source *Source
	// woken asks for a look that no event asks for.
	woken chan struct{}
	scope
	// broken means that events may be missing: all must be watched anew.
	broken bool
}

// scope is what is watched right now.
type scope struct {
	*fsnotify.Watcher
	roots []root
	// dirs are all directories, with those below the roots.
	dirs map[string]struct{}
	// skips reports whether a directory is not to be watched.
	skips func(name string) bool
}

// root is a path that the user gave, and what it led to.
type root struct {
	path string
	info fs.FileInfo
}

// start watches all there is now, instead of what was watched before.
func (w *watch) start() error {
	now, err := w.source.watchAll()
	if err != nil {
		return err
	}
	w.close()
	w.scope, w.broken = now, false
	sees := seesAll
	if aliased(now.roots) {
		sees = seesPart
	}
	w.source.pending.watch(w, sees)
	return nil
}

func (w *watch) close() {
	if w.Watcher != nil {
		_ = w.Close() // nothing is lost with it
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

// addPath watches a directory, or the one that a file is in: editors and
// Kubernetes replace files rather than write to them.
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

// addBelow watches a directory and those below it. Each is watched before it is
// read, so that none is missed.
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

// moved reports whether a path leads elsewhere than it did, or nowhere.
func (s *scope) moved() bool {
	for _, root := range s.roots {
		info, err := os.Stat(root.path)
		if err != nil || !os.SameFile(info, root.info) {
			return true
		}
	}
	return false
}

// aliased reports whether one directory is below two of the paths under two names:
// its events would have only one of them.
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

// below returns the path of what is in a directory, relative to it.
func below(dir, path string) (string, bool) {
	dir, errDir := filepath.Abs(dir)
	path, errPath := filepath.Abs(path)
	relative, err := filepath.Rel(dir, path)
	return relative, errors.Join(errDir, errPath, err) == nil && filepath.IsLocal(relative)
}
