package reconcile

import (
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// The limits for detecting fights: docs/decisions/controllers-fight.md.
const (
	// fightWindow is the time for which an undone write counts, and the length of the first pause.
	fightWindow = 10 * time.Minute
	// overwriteTime is the time within which a controller overwrites a manifest. A person takes
	// longer.
	overwriteTime = time.Minute
	longestRest   = 24 * time.Hour
	// recordLimit and fileLimit are the numbers of undone writes of one record and of one manifest
	// that count as a fight.
	recordLimit, fileLimit = 2, 3
	// maxMarks is the maximum number of marks, and of undone paths, of a Destination.
	maxMarks = 64
)

// content is the digest of a file. present is false if there is no file.
type content struct {
	digest  statestore.Digest
	present bool
}

type mark struct {
	path    tree.Path
	content content
	// record means that the file is a record and not a manifest.
	record bool
	at     time.Time
	// confirmed means that a read of the store has found this content.
	confirmed bool
}

func (m mark) lasts(now time.Time) bool {
	age := now.Sub(m.at)
	return age <= fightWindow && (m.record || age <= overwriteTime)
}

type undoing struct {
	content content
	count   int
	last    time.Time
}

// fight has the recent writes of this process to a Destination, and counts those that another
// controller has undone.
type fight struct {
	marks  []mark
	undone map[tree.Path]undoing
	// stopped means that this process does not write to the Destination. until is the end of the
	// pause.
	stopped bool
	until   time.Time
	// stops is the number of recent fights.
	stops int
	// records are the records of the last round while stopped is true.
	records statestore.Files
}

func (f *fight) idle() bool {
	return len(f.marks)+len(f.undone)+f.stops == 0
}

// pause returns the time for which the records must stay unchanged before this process writes
// again.
func (f *fight) pause() time.Duration {
	rest := fightWindow
	for range f.stops - 1 {
		rest = min(2*rest, longestRest)
	}
	return rest
}

// see reports whether there is a fight, and at which path. It ignores records for which damaged
// returns true, because controllers write readable records.
func (f *fight) see(now time.Time, at func(tree.Path) content, damaged func(tree.Path) bool) (tree.Path, bool) {
	for path, u := range f.undone {
		if now.Sub(u.last) > fightWindow {
			delete(f.undone, path)
		}
	}
	if f.stops > 0 && !f.stopped && now.Sub(f.until) > f.pause() {
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
			left = append(left, m) // the mark is not written yet, or the store has refused it
		case m.record && damaged(m.path), !m.record && !is.present:
		case f.undo(m, is, now):
			f.stop(now)
			return m.path, true
		}
	}
	f.marks = left
	return tree.Path{}, false
}

// undo counts an undone write, and reports whether there is a fight now.
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
		limit-- // a later fight is detected one undone write earlier
	}
	return u.count >= limit
}

func (f *fight) stop(now time.Time) {
	f.stops++
	f.stopped, f.until, f.marks, f.undone = true, now.Add(f.pause()), nil, nil
}

// wait reports whether the pause still lasts. A change of the records restarts the pause.
func (f *fight) wait(now time.Time, unchanged func(statestore.Files) bool) bool {
	if !f.stopped {
		return false
	}
	if !unchanged(f.records) {
		f.until = now.Add(f.pause())
	}
	f.stopped = now.Before(f.until)
	return f.stopped
}

func (f *fight) wrote(marks []mark) {
	for _, m := range marks {
		f.marks = slices.DeleteFunc(f.marks, func(old mark) bool { return old.path == m.path })
		f.marks = append(f.marks, m)
	}
	if more := len(f.marks) - maxMarks; more > 0 {
		f.marks = slices.Clone(f.marks[more:])
	}
}
