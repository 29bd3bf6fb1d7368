package dir

import (
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/kratix-schedule/kratix-schedule/source"
)

// rest is how long a file that took something away must stay as it is before
// that is believed. Who writes a file in place empties it first, and some
// editors remove it before they write it anew.
const rest = time.Second

// hold is a file whose last content still counts, since what it is now takes
// something away.
type hold struct {
	now    *source.ParsedFile
	rested atomic.Bool
}

// loss is a file that takes something away. It may be gone altogether.
type loss struct {
	in   *input
	name string
	now  *source.ParsedFile
	gone bool
}

// take takes a file that was read. It gives false for one that is not believed
// yet.
func (l *look) take(in *input, name string, now *source.ParsedFile) bool {
	if l.collection.File(in.rank, name) == now {
		delete(l.held, fileID{in.rank, name})
		return true
	}
	if l.watched && l.collection.Loses(now) {
		l.losses = append(l.losses, loss{in: in, name: name, now: now})
		return false
	}
	l.believe(loss{in: in, name: name, now: now})
	return true
}

// gone takes out a file that is not there any more.
func (l *look) gone(in *input, name string) {
	l.finish()
	delete(in.links, name)
	if _, known := in.seen[name]; !known {
		return
	}
	lost := loss{in: in, name: name, now: source.Parse(in.rank, source.File{Name: name}), gone: true}
	if l.watched && l.collection.Loses(lost.now) {
		l.losses = append(l.losses, lost)
		return
	}
	l.believe(lost)
}

func (l *look) believe(lost loss) {
	delete(l.held, fileID{lost.in.rank, lost.name})
	if lost.gone {
		delete(lost.in.seen, lost.name)
		l.collection.Remove(lost.in.rank, lost.name)
		return
	}
	l.collection.Put(lost.now)
}

// settle decides about the losses when all else is known: what has moved from
// one file to another is not lost.
func (l *look) settle() {
	var held []*hold
	var paths []string
	for _, lost := range l.losses {
		id := fileID{lost.in.rank, lost.name}
		before := l.held[id]
		switch {
		case !l.collection.Loses(lost.now):
			l.believe(lost)
		case before == nil || !before.now.Equal(lost.now):
			l.held[id] = &hold{now: lost.now}
			held, paths = append(held, l.held[id]), append(paths, filepath.Clean(lost.name))
		case before.rested.Load():
			l.believe(lost)
		}
	}
	if len(held) == 0 {
		return
	}
	time.AfterFunc(rest, func() {
		for _, each := range held {
			each.rested.Store(true)
		}
		l.pending.mark(paths...)
		l.pending.wake()
	})
}
