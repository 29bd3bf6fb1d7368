package dir

import (
	"cmp"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/kratix-schedule/kratix-schedule/source"
)

// rest is how long a file that takes something away must stay unchanged before
// its content counts. Who writes a file in place empties it first, and some
// editors remove it before they write it anew.
const rest = time.Second

// hold is a file that takes something away.
type hold struct {
	loss
	// rested is set once the file has stayed unchanged for a rest.
	rested *atomic.Bool
	// lost are the objects that it takes away.
	lost []string
	// kept are those that the collection still has in it; nil before it has rested.
	kept []string
}

// loss is a file that takes something away. It may be gone altogether.
type loss struct {
	in   *input
	name string
	now  *source.ParsedFile
	gone bool
}

func (l loss) id() fileID { return fileID{l.in.rank, l.name} }

// take takes a file that was read. It returns false for one that is held.
func (l *look) take(in *input, name string, now *source.ParsedFile) bool {
	read := loss{in: in, name: name, now: now}
	before := l.held[read.id()]
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
	l.believe(read)
	return true
}

// gone takes out a file that is not there any more.
func (l *look) gone(in *input, name string) {
	l.finish()
	delete(in.links, name)
	if _, known := in.seen[name]; !known {
		return
	}
	lost := loss{in: in, name: name, now: source.Gone(in.rank, name), gone: true}
	before := l.held[lost.id()]
	switch {
	case before != nil && before.now.Equal(lost.now):
	case l.watched && l.collection.Loses(lost.now):
		l.losses = append(l.losses, lost)
	default:
		l.believe(lost)
	}
}

// believe makes the collection what the file is.
func (l *look) believe(lost loss) {
	l.release(lost.id())
	if lost.gone {
		delete(lost.in.seen, lost.name)
		l.collection.Remove(lost.in.rank, lost.name)
		return
	}
	l.collection.Put(lost.now)
}

// release ends the hold of a file, if there is one.
func (l *look) release(id fileID) {
	if before := l.held[id]; before != nil {
		for _, name := range before.lost {
			delete(l.absent, name)
		}
		delete(l.held, id)
	}
}

// settle decides about the losses when all else is known: what has moved from
// one file to another is not lost.
func (l *look) settle() {
	var resting waiting
	var absent waiting
	for _, lost := range l.losses {
		if before := l.held[lost.id()]; before != nil && before.now.IsBroken() {
			l.release(lost.id()) // a deletion lasts from when the file was whole, or gone
		}
		h := &hold{loss: lost, rested: resting.add(filepath.Clean(lost.name))}
		if before := l.held[lost.id()]; before != nil {
			h.lost, h.kept = before.lost, before.kept
		}
		l.held[lost.id()] = h
	}
	for _, h := range l.sortedHolds() {
		l.decide(h, &absent)
	}
	resting.wait(l.Source, rest)
	absent.wait(l.Source, l.RemovalDelay)
}

// sortedHolds returns the holds in the order of their files.
func (l *look) sortedHolds() []*hold {
	holds := make([]*hold, 0, len(l.held))
	for _, h := range l.held {
		holds = append(holds, h)
	}
	slices.SortFunc(holds, func(a, b *hold) int { return cmp.Or(cmp.Compare(a.in.rank, b.in.rank), cmp.Compare(a.name, b.name)) })
	return holds
}

// decide makes the collection what a held file is, but for the objects that still
// count: all that a broken file held, and those whose absence has not lasted.
func (l *look) decide(h *hold, absent *waiting) {
	lost := l.collection.Lost(h.now)
	if len(lost) == 0 && !l.collection.Loses(h.now) {
		l.believe(h.loss)
		return
	}
	for _, name := range h.lost {
		if _, still := slices.BinarySearch(lost, name); !still {
			delete(l.absent, name) // it is back, or in another file
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
	case !h.rested.Load():
	case len(kept) == 0:
		l.believe(h.loss)
	case h.kept == nil || !slices.Equal(kept, h.kept) || !l.collection.File(h.in.rank, h.name).Equal(h.now):
		l.collection.Put(l.collection.Keep(h.now, kept))
		h.kept = kept
	}
}

// waiting collects what begins to wait in one look.
type waiting struct {
	over  []*atomic.Bool
	paths []string
}

// add returns what is set once the wait is over; the paths are read again then.
func (w *waiting) add(paths ...string) *atomic.Bool {
	over := &atomic.Bool{}
	w.over, w.paths = append(w.over, over), append(w.paths, paths...)
	return over
}

// wait begins the wait, and asks for a look when it is over.
func (w *waiting) wait(s *Source, delay time.Duration) {
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
