package reconcile

import (
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// The figures of fights: docs/decisions/controllers-fight.md.
const (
	// fightWindow is how long what was undone counts, and how long this process
	// leaves a Destination alone at first.
	fightWindow = 10 * time.Minute
	// promptness is within which time a controller overwrites a manifest; who edits
	// one by hand takes longer.
	promptness = time.Minute
	// longestRest bounds how long a Destination is left alone while its records rest.
	longestRest = 24 * time.Hour
	// recordLimit and fileLimit are how often one record or one manifest is undone
	// in a fight.
	recordLimit, fileLimit = 2, 3
	// maxMarks bounds what is remembered of a Destination.
	maxMarks = 64
)

// content is what is at a path: a digest, or nothing.
type content struct {
	sum     statestore.Sum
	present bool
}

// mark is what this process wrote at a path, or removed from it.
type mark struct {
	path    tree.Path
	content content
	// record reports whether it is a record, and not a manifest.
	record bool
	at     time.Time
	// confirmed means that the store had it.
	confirmed bool
}

// lasts reports whether the mark still counts.
func (m mark) lasts(now time.Time) bool {
	age := now.Sub(m.at)
	return age <= fightWindow && (m.record || age <= promptness)
}

// undoing is how often what was written at a path was undone.
type undoing struct {
	content content
	count   int
	last    time.Time
}

// fight remembers what this process wrote for a Destination lately, and how often
// another controller has undone it. The zero value is peace.
type fight struct {
	marks  []mark
	undone map[tree.Path]undoing
	// stopped is set while this process leaves the Destination alone, until the
	// time: then its records have not changed for as long as they must.
	stopped bool
	until   time.Time
	// stops counts the fights; each rest is twice as long as the last.
	stops int
	// records are those that were there at the last look while stopped.
	records statestore.Files
}

// idle reports whether there is nothing to remember.
func (f *fight) idle() bool {
	return len(f.marks)+len(f.undone)+f.stops == 0
}

// rest is how long records must rest.
func (f *fight) rest() time.Duration {
	rest := fightWindow
	for range f.stops - 1 {
		rest = min(2*rest, longestRest)
	}
	return rest
}

// see compares what is in the store with what this process wrote; it reports the
// path by which it finds a fight. damaged reports whether a record is unreadable:
// controllers write no such records.
func (f *fight) see(now time.Time, at func(tree.Path) content, damaged func(tree.Path) bool) (tree.Path, bool) {
	for path, u := range f.undone {
		if now.Sub(u.last) > fightWindow {
			delete(f.undone, path)
		}
	}
	if f.stops > 0 && !f.stopped && now.Sub(f.until) > f.rest() {
		f.stops = 0
	}
	var left []mark
	for _, m := range f.marks {
		is := at(m.path)
		switch {
		case !m.lasts(now):
		case is == m.content:
			m.confirmed = true
			left = append(left, m)
		case !m.confirmed:
			left = append(left, m) // it is not written yet, or never
		case m.record && damaged(m.path), !m.record && !is.present:
		case f.undo(m, is, now):
			f.stop(now)
			return m.path, true
		}
	}
	f.marks = left
	return tree.Path{}, false
}

// undo counts what was undone; it reports whether that makes a fight.
func (f *fight) undo(m mark, is content, now time.Time) bool {
	u, known := f.undone[m.path]
	if !known || !m.record && u.content != is {
		u = undoing{content: is}
	}
	u.count, u.last = u.count+1, now
	if f.undone == nil {
		f.undone = map[tree.Path]undoing{}
	}
	if known || len(f.undone) < maxMarks {
		f.undone[m.path] = u
	}
	limit := fileLimit
	if m.record {
		limit = recordLimit
	}
	if f.stops > 0 {
		limit-- // the other one is known
	}
	return u.count >= limit
}

// stop leaves the Destination alone.
func (f *fight) stop(now time.Time) {
	f.stops++
	f.stopped, f.until, f.marks, f.undone = true, now.Add(f.rest()), nil, nil
}

// wait reports whether the Destination is still left alone. Records that change
// begin the rest anew.
func (f *fight) wait(now time.Time, unchanged func(statestore.Files) bool) bool {
	if !f.stopped {
		return false
	}
	if !unchanged(f.records) {
		f.until = now.Add(f.rest())
	}
	f.stopped = now.Before(f.until)
	return f.stopped
}

// wrote remembers a write. What the store has acknowledged is confirmed; the rest
// is once it is seen.
func (f *fight) wrote(marks []mark) {
	for _, m := range marks {
		f.marks = slices.DeleteFunc(f.marks, func(old mark) bool { return old.path == m.path })
		f.marks = append(f.marks, m)
	}
	if more := len(f.marks) - maxMarks; more > 0 {
		f.marks = slices.Clone(f.marks[more:])
	}
}
