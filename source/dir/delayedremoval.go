package dir

import (
	"cmp"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/kratix-schedule/kratix-schedule/source"
)

// unchangedTime is the time for which a file must stay unchanged before it removes objects. A file
// that is being written may be truncated or missing for a moment.
const unchangedTime = time.Second

type delayedRemoval struct {
	loss
	// unchanged is set once the file has been unchanged for unchangedTime.
	unchanged *atomic.Bool
	lost      []string
	// kept are the names of the removed objects that are still in the collection.
	kept []string
}

// loss is a new version of a file. gone means that the file is deleted.
type loss struct {
	in   *input
	name string
	now  *source.ParsedFile
	gone bool
}

func (l loss) id() fileID { return fileID{l.in.rank, l.name} }

// take adds a file that was just read to the collection. It returns false if the effect of the file
// is delayed.
func (l *scan) take(in *input, name string, now *source.ParsedFile) bool {
	read := loss{in: in, name: name, now: now}
	before := l.delayedRemovals[read.id()]
	switch {
	case before != nil && before.now.Equal(now):
		return false
	case l.collection.File(in.rank, name) == now:
		l.release(read.id())
		return true
	case l.watched && l.collection.Loses(now):
		l.losses = append(l.losses, read)
		return false
	}
	l.apply(read)
	return true
}

// gone removes a deleted file from the collection, or delays the removal.
func (l *scan) gone(in *input, name string) {
	l.finish()
	delete(in.links, name)
	if _, known := in.seen[name]; !known {
		return
	}
	lost := loss{in: in, name: name, now: source.DeletedFile(in.rank, name), gone: true}
	before := l.delayedRemovals[lost.id()]
	switch {
	case before != nil && before.now.Equal(lost.now):
	case l.watched && l.collection.Loses(lost.now):
		l.losses = append(l.losses, lost)
	default:
		l.apply(lost)
	}
}

func (l *scan) apply(lost loss) {
	l.release(lost.id())
	if lost.gone {
		delete(lost.in.seen, lost.name)
		l.collection.Remove(lost.in.rank, lost.name)
		return
	}
	l.collection.Put(lost.now)
}

func (l *scan) release(id fileID) {
	if before := l.delayedRemovals[id]; before != nil {
		for _, name := range before.lost {
			delete(l.absent, name)
		}
		delete(l.delayedRemovals, id)
	}
}

// applyLosses applies or delays the losses. It must be called after all files have been read,
// because an object may have moved to another file.
func (l *scan) applyLosses() {
	var unchanged delays
	var absent delays
	for _, lost := range l.losses {
		if before := l.delayedRemovals[lost.id()]; before != nil && before.now.IsBroken() {
			l.release(lost.id()) // the delay starts when the file is valid or deleted
		}
		h := &delayedRemoval{loss: lost, unchanged: unchanged.add(filepath.Clean(lost.name))}
		if before := l.delayedRemovals[lost.id()]; before != nil {
			h.lost, h.kept = before.lost, before.kept
		}
		l.delayedRemovals[lost.id()] = h
	}
	for _, h := range l.sortedRemovals() {
		l.decide(h, &absent)
	}
	unchanged.wait(l.Source, unchangedTime)
	absent.wait(l.Source, l.RemovalDelay)
}

func (l *scan) sortedRemovals() []*delayedRemoval {
	removals := make([]*delayedRemoval, 0, len(l.delayedRemovals))
	for _, h := range l.delayedRemovals {
		removals = append(removals, h)
	}
	slices.SortFunc(removals, func(a, b *delayedRemoval) int {
		return cmp.Or(cmp.Compare(a.in.rank, b.in.rank), cmp.Compare(a.name, b.name))
	})
	return removals
}

// decide applies the part of a delayed removal whose delay has ended. The collection keeps the
// objects of a broken file.
func (l *scan) decide(h *delayedRemoval, absent *delays) {
	lost := l.collection.Lost(h.now)
	if len(lost) == 0 && !l.collection.Loses(h.now) {
		l.apply(h.loss)
		return
	}
	for _, name := range h.lost {
		if _, still := slices.BinarySearch(lost, name); !still {
			delete(l.absent, name) // the object exists again, maybe in another file
		}
	}
	h.lost = lost
	var kept []string
	for _, name := range lost {
		if l.absent[name] == nil {
			l.absent[name] = absent.add()
		}
		if h.now.IsBroken() || !l.absent[name].Load() {
			kept = append(kept, name)
		}
	}
	switch {
	case !h.unchanged.Load():
	case len(kept) == 0:
		l.apply(h.loss)
	case h.kept == nil || !slices.Equal(kept, h.kept) || !l.collection.File(h.in.rank, h.name).Equal(h.now):
		l.collection.Put(l.collection.Keep(h.now, kept))
		h.kept = kept
	}
}

// delays collects flags and paths for one delay. When it ends, the flags are set and the paths are
// read again.
type delays struct {
	over  []*atomic.Bool
	paths []string
}

// add returns a flag that is set after the delay, and adds paths to read again.
func (w *delays) add(paths ...string) *atomic.Bool {
	over := &atomic.Bool{}
	w.over, w.paths = append(w.over, over), append(w.paths, paths...)
	return over
}

// wait starts the delay. The source reports a change when it ends.
func (w *delays) wait(s *Source, delay time.Duration) {
	if len(w.over) == 0 {
		return
	}
	time.AfterFunc(delay, func() {
		for _, each := range w.over {
			each.Store(true)
		}
		s.pending.mark(w.paths...)
		s.pending.wake()
	})
}
