package dir

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// follow turns events into tellings, until ctx ends.
func (w *watch) follow(ctx context.Context, changes chan<- struct{}) {
	defer close(changes)
	defer w.close()
	defer w.source.pending.end(w)
	check := time.NewTicker(every)
	defer check.Stop()
	timer := time.NewTimer(shortestWait)
	timer.Stop()
	var pace pace
	for {
		changed := false
		select {
		case <-ctx.Done():
			return
		case event := <-w.Events:
			changed = w.heed(event)
		case <-w.Errors: //nolint:errcheck // the queue overflowed, say: events are missing
			w.broken, changed = true, true
		case <-w.woken:
			changed = true
		case <-check.C:
			changed = w.check()
		case <-timer.C:
			tell, wait := pace.due()
			if wait > 0 {
				timer.Reset(wait)
			}
			if tell {
				w.tell(changes)
			}
		}
		if changed {
			if wait := pace.change(); wait > 0 {
				timer.Reset(wait)
			}
		}
	}
}

// tell says "look again", once all that a look needs is watched.
func (w *watch) tell(changes chan<- struct{}) {
	if w.broken && w.start() != nil {
		w.source.pending.watch(w, seesPart) // check tries again, and Snapshot says what is wrong
	}
	select {
	case changes <- struct{}{}:
	default: // said already, not heard yet
	}
}

// check reports whether paths lead elsewhere than they did, or somewhere again.
func (w *watch) check() bool {
	if w.broken {
		return w.start() == nil
	}
	w.broken = w.moved()
	return w.broken
}

// heed takes in an event. It returns false for one of a file that is not read.
func (w *watch) heed(event fsnotify.Event) bool {
	path, pending := filepath.Clean(event.Name), &w.source.pending
	_, isDir := w.dirs[path]
	switch {
	case isDir && event.Has(fsnotify.Remove|fsnotify.Rename):
		w.broken = true // and what was below may have moved along
		return true
	case isDir:
		pending.lookAgain()
		return true
	case event.Has(fsnotify.Create) && w.source.Recursive && w.added(path):
		pending.lookAgain()
		return true
	case w.source.reads(path) || pending.heedsAll():
		pending.mark(path)
		return true
	}
	return false
}

// added watches a path if it is a new directory.
func (w *watch) added(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || isHidden(path) || w.skips(path) {
		return false
	}
	if w.addBelow(path) != nil {
		w.broken = true // gone again, or one too many
	}
	return true
}

// reads reports whether a path may be of a file that the source reads.
func (s *Source) reads(path string) bool {
	for _, given := range s.Paths {
		if filepath.Clean(given) == path {
			return true
		}
		if _, has := s.nameBelow(given, path); has {
			return true
		}
	}
	return false
}
