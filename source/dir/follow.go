package dir

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

func (w *watch) follow(ctx context.Context, changes chan<- struct{}) {
	defer close(changes)
	defer w.close()
	defer w.source.pending.end(w)
	check := time.NewTicker(every)
	defer check.Stop()
	timer := time.NewTimer(shortestWait)
	timer.Stop()
	var limit throttle
	for {
		changed := false
		select {
		case <-ctx.Done():
			return
		case event := <-w.Events:
			changed = w.handle(event)
		case <-w.Errors: //nolint:errcheck // for example a queue overflow: events are missing
			w.broken, changed = true, true
		case <-w.woken:
			changed = true
		case <-check.C:
			changed = w.check()
		case <-timer.C:
			tell, wait := limit.due()
			if wait > 0 {
				timer.Reset(wait)
			}
			if tell {
				w.notify(changes)
			}
		}
		if changed {
			if wait := limit.change(); wait > 0 {
				timer.Reset(wait)
			}
		}
	}
}

func (w *watch) notify(changes chan<- struct{}) {
	if w.broken && w.start() != nil {
		w.source.pending.watch(w, partialCoverage) // check tries again, and Snapshot reports the error
	}
	select {
	case changes <- struct{}{}:
	default: // a notification is pending already
	}
}

// check reports whether a change must be reported, because the watch was restarted or an input path
// has moved.
func (w *watch) check() bool {
	if w.broken {
		return w.start() == nil
	}
	w.broken = w.moved()
	return w.broken
}

// handle records the path of an event for the next read. It returns false if the event has no
// effect.
func (w *watch) handle(event fsnotify.Event) bool {
	path, pending := filepath.Clean(event.Name), &w.source.pending
	_, isDir := w.dirs[path]
	switch {
	case isDir && event.Has(fsnotify.Remove|fsnotify.Rename):
		w.broken = true // directories below this one may also have moved
		return true
	case isDir:
		pending.scanAll()
		return true
	case event.Has(fsnotify.Create) && w.source.Recursive && w.added(path):
		pending.scanAll()
		return true
	case w.source.reads(path) || pending.needsAllEvents():
		pending.mark(path)
		return true
	}
	return false
}

func (w *watch) added(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || isHidden(path) || w.skips(path) {
		return false
	}
	if w.addBelow(path) != nil {
		w.broken = true // the directory is deleted already, or the limit on watches is reached
	}
	return true
}

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
