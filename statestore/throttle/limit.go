package throttle

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// limit is the limit of one location. It is safe for concurrent use.
type limit struct {
	throttle *Throttle

	mu sync.Mutex
	// rates are the limits of the state stores that have one. perMinute is the smallest; 0 for no
	// limit.
	rates     map[kratix.StateStoreReference]int
	perMinute int
	// tokens has at most one token, and each commit takes one. The number of tokens may fall to
	// 1-perMinute, because commits of one round may follow each other, and rollbacks need not wait
	// for a token. inRound means that this round has made a commit.
	tokens  *rate.Limiter
	inRound bool
	// waiting are the changes of this round that wait, next is the time from which they may be
	// committed, and since is the time since which changes have waited. timer fires at about next.
	waiting     map[statestore.View]waitingChanges
	next, since time.Time
	timer       *time.Timer
	// told are the views for which Throttle.Waiting was called last without zeros.
	told map[statestore.View]bool
	// reads are the last states, which are read again after a commit, and when they are too old.
	reads map[statestore.View]lastRead
}

// waitingChanges are changes that wait, with the Location that will write them.
type waitingChanges struct {
	inner   statestore.Location
	changes statestore.ChangeSet
}

type lastRead struct {
	state statestore.State
	at    time.Time
}

func newLimit(t *Throttle) *limit {
	return &limit{
		throttle: t, rates: map[kratix.StateStoreReference]int{}, tokens: rate.NewLimiter(rate.Inf, 1),
		waiting: map[statestore.View]waitingChanges{}, reads: map[statestore.View]lastRead{},
		told: map[statestore.View]bool{},
	}
}

// setRate sets the limit of a state store; 0 removes it.
func (l *limit) setRate(ref kratix.StateStoreReference, perMinute int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rates[ref] = perMinute
	if perMinute == 0 {
		delete(l.rates, ref)
	}
	smallest := 0
	for _, of := range l.rates {
		if smallest == 0 || of < smallest {
			smallest = of
		}
	}
	if smallest == l.perMinute {
		return
	}
	l.perMinute = smallest
	perSecond := rate.Inf
	if smallest > 0 {
		perSecond = rate.Limit(float64(smallest) / time.Minute.Seconds())
	}
	l.tokens.SetLimitAt(l.throttle.Now(), perSecond)
}

func (l *limit) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inRound = false
	if len(l.waiting) == 0 {
		l.since = time.Time{}
	}
	clear(l.waiting)
}

func (l *limit) refresh() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.reads)
}

// tolerance is how early a commit may be made, because a timer and the tokens are rounded.
const tolerance = time.Millisecond

// wait returns how long the next commit must wait; 0 if it may be made now. A commit must wait for
// a token. An urgent commit, and a further commit of the same round, may be made without a token,
// unless the commits of a whole minute were made in advance.
func (l *limit) wait(now time.Time, urgent bool) time.Duration {
	if l.perMinute == 0 {
		return 0
	}
	tokens, perMinute := l.tokens.TokensAt(now), float64(l.perMinute)
	need := 1.0
	if l.inRound || urgent {
		need = min(need, 2-perMinute)
	}
	wait := time.Duration((need - tokens) / perMinute * float64(time.Minute))
	if wait <= tolerance {
		return 0
	}
	return time.Duration((1 - tokens) / perMinute * float64(time.Minute))
}

// admit takes a token for a commit with the changes. If the commit must wait, admit keeps the
// changes and returns the time of the commit.
func (l *limit) admit(inner statestore.Location, parts []statestore.ViewChanges) (next time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.throttle.Now()
	if wait := l.wait(now, isUrgent(parts)); wait > 0 {
		l.keep(inner, parts, now, wait)
		return l.next, false
	}
	l.inRound = true
	l.tokens.ReserveN(now, 1)
	var waited time.Duration
	if !l.since.IsZero() {
		waited = now.Sub(l.since)
	}
	l.since = time.Time{}
	clear(l.reads)
	l.unwait(parts)
	if l.throttle.Committed != nil {
		l.throttle.Committed(parts[0].View.Name, waited)
	}
	return time.Time{}, true
}

// keep keeps changes that must wait, and sets the timer.
func (l *limit) keep(inner statestore.Location, parts []statestore.ViewChanges, now time.Time, wait time.Duration) {
	if l.since.IsZero() {
		l.since = now
	}
	if next := now.Add(wait); next.Sub(l.next).Abs() > time.Second { // otherwise only the rounding differs
		l.next = next
	}
	for _, part := range parts {
		l.waiting[part.View] = waitingChanges{inner, part.Changes}
		l.tell(part.View, len(part.Changes.Placements), l.next)
	}
	if l.timer != nil {
		l.timer.Stop()
	}
	l.timer = time.AfterFunc(wait, l.throttle.Wake)
}

// drop removes the waiting changes of views that have no changes any more.
func (l *limit) drop(parts []statestore.ViewChanges) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unwait(parts)
}

func (l *limit) unwait(parts []statestore.ViewChanges) {
	for _, part := range parts {
		delete(l.waiting, part.View)
		if l.told[part.View] {
			l.tell(part.View, 0, time.Time{})
			delete(l.told, part.View)
		}
	}
}

func (l *limit) tell(view statestore.View, placements int, next time.Time) {
	l.told[view] = true
	if l.throttle.Waiting != nil {
		l.throttle.Waiting(view.Name, placements, next)
	}
}

func (l *limit) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
}

// takeWaiting returns the changes that wait, by the Location that writes them, and forgets them.
func (l *limit) takeWaiting() map[statestore.Location][]statestore.ViewChanges {
	l.mu.Lock()
	defer l.mu.Unlock()
	parts := map[statestore.Location][]statestore.ViewChanges{}
	for view, kept := range l.waiting {
		parts[kept.inner] = append(parts[kept.inner], statestore.ViewChanges{View: view, Changes: kept.changes})
	}
	clear(l.waiting)
	return parts
}

// isUrgent reports whether the changes roll a placement back.
func isUrgent(parts []statestore.ViewChanges) bool {
	for _, part := range parts {
		for _, placement := range part.Changes.Placements {
			if placement.Action == statestore.RollBack {
				return true
			}
		}
	}
	return false
}

// last returns the last state of a view, unless a write was admitted since then, or the state is
// older than the time between two commits.
func (l *limit) last(view statestore.View) (statestore.State, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	read, ok := l.reads[view]
	if !ok || l.perMinute == 0 || l.throttle.Now().Sub(read.at) >= time.Minute/time.Duration(l.perMinute)-tolerance {
		return statestore.State{}, false
	}
	return read.state, true
}

func (l *limit) remember(view statestore.View, state statestore.State, began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.perMinute > 0 && !state.WriteInProgress && state.Refused == nil && len(state.Unfinished) == 0 {
		l.reads[view] = lastRead{state, began}
	}
}

// errThrottled returns the error about changes that wait until a time.
func errThrottled(view statestore.View, next time.Time) error {
	return &statestore.Error{Op: "write", Store: view.Name, Err: fmt.Errorf("%w at %s UTC", statestore.ErrThrottled, next.UTC().Format(time.TimeOnly))}
}
