package throttle

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// limit is a limit of commits that several locations may share. It is safe for concurrent use.
type limit struct {
	throttle *Throttle
	// isRegistry means that commits are spread evenly over time.
	isRegistry bool

	mu sync.Mutex
	// rates are the limits of state stores in commits per minute. perMinute is the smallest of
	// them, or 0 for no limit.
	rates     map[kratix.StateStoreReference]int
	perMinute int
	// Each commit takes one of the tokens. Their number may be negative, because some commits are
	// made in advance. inRound means that this round has made a commit.
	tokens  *rate.Limiter
	inRound bool
	// waiting are the changes of this round that wait. They may be committed from next on. timer
	// fires at about that time.
	waiting map[statestore.View]waitingChanges
	next    time.Time
	timer   *time.Timer
	// since are the times since which changes of views have waited.
	since map[statestore.View]time.Time
	// turns are the times when admitted commits to a registry begin, by the name of the view.
	turns map[string]time.Time
	// reported are the views whose waiting changes were reported to Throttle.Waiting.
	reported map[statestore.View]bool
	// reads are the last states of views, with the times when the reads began.
	reads map[statestore.View]lastRead
}

// waitingChanges are changes that wait, with the Location that will write them.
type waitingChanges struct {
	inner   statestore.Location
	changes statestore.ChangeSet
}

type lastRead struct {
	storage string
	state   statestore.State
	at      time.Time
}

func newLimit(t *Throttle, isRegistry bool) *limit {
	return &limit{
		throttle: t, isRegistry: isRegistry, rates: map[kratix.StateStoreReference]int{}, tokens: rate.NewLimiter(rate.Inf, 1),
		waiting: map[statestore.View]waitingChanges{}, since: map[statestore.View]time.Time{}, turns: map[string]time.Time{},
		reads: map[statestore.View]lastRead{}, reported: map[statestore.View]bool{},
	}
}

// setRate sets the limit of a state store in commits per minute. 0 removes the limit.
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
	if l.isRegistry {
		l.tokens.SetBurstAt(l.throttle.Now(), max(1, int(time.Second/l.between())))
	}
}

// between returns the time between two commits at the limit.
func (l *limit) between() time.Duration { return time.Minute / time.Duration(max(1, l.perMinute)) }

func (l *limit) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inRound = false
	maps.DeleteFunc(l.since, func(view statestore.View, _ time.Time) bool {
		_, waits := l.waiting[view]
		return !waits
	})
	clear(l.waiting)
}

// refresh drops the last states in the storages that match, so that they are read again.
func (l *limit) refresh(matches func(storage string) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.reads, func(_ statestore.View, read lastRead) bool { return matches(read.storage) })
}

// tolerance is how early a commit may be made, because timers and tokens are rounded.
const tolerance = time.Millisecond

// wait returns how long the next commit must wait, or 0 if it may be made now. Urgent commits and
// further commits of a round may be made in advance, up to the number for a minute.
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

// maxAhead is the longest time between the admission of a commit to a registry and its turn, unless
// the commit is urgent.
const maxAhead = 10 * time.Second

// turn returns how long a commit must wait until it is admitted. If that is 0, begins is the time
// until the commit may begin.
func (l *limit) turn(now time.Time, urgent bool) (wait, begins time.Duration) {
	if !l.isRegistry || l.perMinute == 0 {
		return l.wait(now, urgent), 0
	}
	begins = max(0, time.Duration((1-l.tokens.TokensAt(now))*float64(l.between())))
	if begins > maxAhead && !urgent {
		return begins - maxAhead/2, 0 // the next round admits several commits
	}
	return 0, begins
}

// admit takes a token for a commit with the changes to a location. If the commit must wait, admit
// keeps the changes and returns the time of the commit.
func (l *limit) admit(at location, parts []statestore.ViewChanges) (next time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.throttle.Now()
	wait, begins := l.turn(now, isUrgent(parts))
	if wait > 0 {
		l.keep(at.inner, parts, now, wait)
		return l.next, false
	}
	l.inRound = true
	l.tokens.ReserveN(now, 1)
	l.forget(at.storage, parts)
	var waited time.Duration
	for _, part := range parts {
		if since, waits := l.since[part.View]; waits {
			waited = max(waited, now.Sub(since))
			delete(l.since, part.View)
		}
		if begins > 0 {
			l.turns[part.View.Name] = now.Add(begins)
		}
	}
	l.unwait(parts)
	if l.throttle.Committed != nil {
		l.throttle.Committed(parts[0].View.Name, waited)
	}
	return time.Time{}, true
}

// forget drops the last states that a commit changes.
func (l *limit) forget(storage string, parts []statestore.ViewChanges) {
	for _, part := range parts {
		delete(l.reads, part.View)
	}
	maps.DeleteFunc(l.reads, func(_ statestore.View, read lastRead) bool { return !l.isRegistry && read.storage == storage })
}

// untilTurn returns the time until the turn of an admitted commit to a view, and removes the turn.
func (l *limit) untilTurn(view string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	begins, ok := l.turns[view]
	delete(l.turns, view)
	if !ok {
		return 0
	}
	return begins.Sub(l.throttle.Now())
}

// keep keeps changes that must wait, and sets the timer.
func (l *limit) keep(inner statestore.Location, parts []statestore.ViewChanges, now time.Time, wait time.Duration) {
	if next := now.Add(wait); next.Sub(l.next).Abs() > time.Second { // otherwise only the rounding differs
		l.next = next
	}
	for _, part := range parts {
		if _, waits := l.since[part.View]; !waits {
			l.since[part.View] = now
		}
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
		if l.reported[part.View] {
			l.tell(part.View, 0, time.Time{})
			delete(l.reported, part.View)
		}
	}
}

func (l *limit) tell(view statestore.View, placements int, next time.Time) {
	l.reported[view] = true
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

// takeWaiting removes and returns the waiting changes, by the Location that writes them.
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

// last returns the last state of a view, unless the state is too old or a commit may have changed
// it.
func (l *limit) last(view statestore.View) (statestore.State, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	read, ok := l.reads[view]
	valid := l.between()
	if l.isRegistry {
		valid *= time.Duration(max(1, len(l.rates)))
	}
	if !ok || l.perMinute == 0 || l.throttle.Now().Sub(read.at) >= valid-tolerance {
		return statestore.State{}, false
	}
	return read.state, true
}

func (l *limit) remember(storage string, view statestore.View, state statestore.State, began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.perMinute > 0 && !state.WriteInProgress && state.Refused == nil && len(state.Unfinished) == 0 {
		l.reads[view] = lastRead{storage, state, began}
	}
}

// errThrottled returns the error for changes that are not written before next.
func errThrottled(view statestore.View, next time.Time) error {
	return &statestore.Error{Op: "write", Store: view.Name, Err: fmt.Errorf("%w at %s UTC", statestore.ErrThrottled, next.UTC().Format(time.TimeOnly))}
}
