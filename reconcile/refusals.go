package reconcile

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const (
	// maxTrials is the maximum number of writes that a round makes in a store to find refused units.
	maxTrials  = 32
	maxRetries = 4
	maxRefused = 256
	// maxRefusedWords is the maximum length of a server's message that is kept, in bytes.
	maxRefusedWords = 4 << 10
	// firstRetry is the delay before the first retry of a refused unit. lastRetry is the longest
	// delay.
	firstRetry = 5 * time.Minute
	lastRetry  = 6 * time.Hour
	// searchPause is the delay before the next round continues a search.
	searchPause = time.Minute
	// A server counts as refusing everything after alwaysRefused refusals with the same message, or
	// after refusedRegardless refused units.
	alwaysRefused     = 3
	refusedRegardless = 16
	// trust is the time after an accepted write during which a server does not count as refusing
	// everything.
	trust = time.Hour
)

type refusals struct {
	stores map[kratix.StateStoreReference]*refusedStore
}

type refusedStore struct {
	store statestore.Store
	// separateCommits means that the server has refused a commit with moves between directories. The
	// new copies are then written first.
	separateCommits bool
	refused         map[unit]*refusal
	search          search
	why             error
	inProgress      []suspect
	// always is the last error of a store that refuses everything, and otherwise nil. probed are the
	// units that were tried since then; it is cleared when all were tried.
	always error
	probed map[suspect]bool
	// since are the units that were refused since the last accepted write. message is the text of the
	// last refusal. same counts consecutive refusals with this text.
	since   map[unit]bool
	message string
	same    int
	// accepts means that the store has accepted a write, and the last one at acceptedAt.
	accepts    bool
	acceptedAt time.Time
	trials     int
}

type refusal struct {
	digest digest
	answer answer
	tries  int
	next   time.Time
	due    bool
}

func (r *refusal) exclusion() exclusion {
	return exclusion{digest: r.digest, isKnown: true, answer: r.answer}
}

func (r *refusals) of(store *storeView) *refusedStore {
	known := r.stores[store.ref]
	if known == nil || !known.isEmpty() && store.Store != nil && known.store != store.Store {
		known = &refusedStore{store: store.Store, refused: map[unit]*refusal{}}
		if r.stores == nil {
			r.stores = map[kratix.StateStoreReference]*refusedStore{}
		}
		r.stores[store.ref] = known
	}
	if known.isEmpty() {
		known.store = store.Store
	}
	return known
}

// isEmpty reports whether there is no refusal, no search and no write in progress.
func (s *refusedStore) isEmpty() bool {
	return len(s.refused) == 0 && s.search.isOver() && s.inProgress == nil && s.always == nil
}

func (r *refusals) begin(now time.Time) {
	for _, store := range r.stores {
		store.trials = 0
		store.setDue(now)
	}
}

func (s *refusedStore) setDue(now time.Time) {
	var waiting []*refusal
	for _, refused := range s.refused {
		if !refused.due && !now.Before(refused.next) {
			waiting = append(waiting, refused)
		}
	}
	slices.SortStableFunc(waiting, func(a, b *refusal) int { return a.next.Compare(b.next) })
	for _, refused := range waiting[:min(len(waiting), maxRetries)] {
		refused.due = true
	}
}

func (r *refusals) retry() {
	for _, store := range r.stores {
		for _, refused := range store.refused {
			refused.next = time.Time{}
		}
	}
}

func (r *refusals) sweep(stores []*storeView) {
	for ref := range r.stores {
		if !slices.ContainsFunc(stores, func(s *storeView) bool { return s.ref == ref }) {
			delete(r.stores, ref)
		}
	}
}

// due returns the time until the next round that retries a unit or continues a search, or 0 if
// there is none.
func (r *refusals) due(now time.Time) time.Duration {
	var soonest time.Duration
	for _, store := range r.stores {
		if wait := store.wait(now); wait > 0 && (soonest == 0 || wait < soonest) {
			soonest = wait
		}
	}
	return soonest
}

func (s *refusedStore) wait(now time.Time) time.Duration {
	if s.inProgress != nil {
		return 0 // the end of the write triggers a round
	}
	if !s.search.isOver() || s.always != nil {
		return searchPause
	}
	var soonest time.Duration
	for _, refused := range s.refused {
		wait := max(refused.next.Sub(now), searchPause)
		if soonest == 0 || wait < soonest {
			soonest = wait
		}
	}
	return soonest
}

// known returns the refused units whose retry is not due.
func (s *refusedStore) known() exclusions {
	excluded := exclusions{}
	for of, refused := range s.refused {
		if !refused.due {
			excluded.add(of, refused.exclusion())
		}
	}
	return excluded
}

// excluded returns the known exclusions and the units of the search, without the units in allowed.
func (s *refusedStore) excluded(allowed []suspect) exclusions {
	excluded := s.known()
	for _, one := range s.search.all() {
		if refused := s.refused[one.unit]; refused != nil && refused.digest == one.digest {
			excluded.add(one.unit, refused.exclusion())
			continue
		}
		excluded.add(one.unit, exclusion{digest: one.digest})
	}
	for _, one := range allowed {
		delete(excluded[one.destination], one.unit)
	}
	return excluded
}

func (s *refusedStore) sync(d *desired, now time.Time) {
	if s.inProgress != nil && !d.state.WriteInProgress {
		s.resolve(d, now)
	}
	if len(s.refused) == 0 && s.search.isOver() {
		return
	}
	s.forget(d)
	current := map[suspect]bool{}
	for _, one := range d.suspects() {
		current[one] = true
		if s.refused[one.unit] != nil && !slices.Contains(s.search.all(), one) {
			s.search.alone = append(s.search.alone, one)
		}
	}
	s.search.keep(current)
}

func (s *refusedStore) resolve(d *desired, now time.Time) {
	tried := s.inProgress
	s.inProgress = nil
	switch current := d.suspects(); {
	case d.state.Refused != nil:
		if s.always == nil {
			s.answer(tried, d.units(), d.state.Refused, now)
		}
	case !containsAny(current, tried):
		s.accepted(now)
	}
}

// containsAny reports whether any of the values is in the list, in linear time.
func containsAny(list, values []suspect) bool {
	wanted := make(map[suspect]bool, len(values))
	for _, value := range values {
		wanted[value] = true
	}
	return slices.ContainsFunc(list, func(one suspect) bool { return wanted[one] })
}

func (s *refusedStore) forget(d *desired) {
	if len(s.refused) == 0 {
		return
	}
	there := map[unit]bool{}
	for i, o := range d.outcomes {
		there[unit{destination: d.destinations[i].Name}] = true
		for _, p := range o.placements {
			if p.Object != nil {
				there[unitOf(p.Object)] = true
			}
		}
	}
	changed := map[unit]bool{}
	for _, one := range d.units() {
		changed[one.unit] = true
	}
	for of, refused := range s.refused {
		if !there[of] || refused.due && !changed[of] {
			delete(s.refused, of)
		}
	}
}

func (s *refusedStore) answer(tried []suspect, units []unitChange, err error, now time.Time) {
	s.why = err
	named := namedBy(err, units)
	switch {
	case len(named) > 0:
		s.search.take(tried, named)
		s.find(named, err, now)
	case slices.Equal(tried, s.search.next()):
		s.find(s.search.refused(), err, now)
	case len(tried) == 1:
		s.search.take(tried, tried)
		s.find(tried, err, now)
	default:
		s.search.take(tried, tried)
		s.search.add(tried)
	}
}

// namedBy returns the units whose files a server has named, or none if a named file does not belong
// to exactly one unit.
func namedBy(err error, units []unitChange) []suspect {
	var storeErr *statestore.Error
	if !errors.As(err, &storeErr) {
		return nil
	}
	var named []suspect
	for _, path := range storeErr.Paths {
		var of []suspect
		for i := range units {
			if units[i].writes(path) {
				of = append(of, units[i].suspect())
			}
		}
		if len(of) != 1 {
			return nil
		}
		if !slices.Contains(named, of[0]) {
			named = append(named, of[0])
		}
	}
	return named
}

// find adds refused units. It marks the store as failed if the server refuses too many.
func (s *refusedStore) find(found []suspect, err error, now time.Time) {
	said := answerOf(err)
	for _, one := range found {
		before := s.refused[one.unit]
		if before == nil && len(s.refused) >= maxRefused {
			s.fail(err)
			return
		}
		made := &refusal{digest: one.digest, answer: said, tries: 1}
		if before != nil && before.digest == one.digest {
			made.tries = before.tries + 1
		}
		made.next = now.Add(backoff(made.tries))
		s.refused[one.unit] = made
	}
	if len(found) > 0 && s.provesRefusal(found, said.message, err) && !(s.accepts && now.Sub(s.acceptedAt) < trust) {
		s.fail(err)
	}
}

// provesRefusal counts refusals, and reports whether they are enough to conclude that the server
// refuses everything.
func (s *refusedStore) provesRefusal(found []suspect, words string, err error) bool {
	var storeErr *statestore.Error
	if errors.As(err, &storeErr) && len(storeErr.Paths) > 0 {
		return false // the server names the refused files, so it accepts others
	}
	if words != s.message {
		s.message, s.same = words, 0
	}
	if s.since == nil {
		s.since = map[unit]bool{}
	}
	for _, one := range found {
		if s.since[one.unit] {
			continue // the unit is counted already
		}
		s.since[one.unit] = true
		s.same++
		if one.isRest() || one.digest == removalDigest() {
			s.same++ // a server cannot refuse this unit for its content, so it counts twice
		}
	}
	return s.same >= alwaysRefused || len(s.since) >= refusedRegardless
}

// fail marks the store as failed. Units in the search count as refused, so that other units are
// probed first.
func (s *refusedStore) fail(err error) {
	if s.since == nil {
		s.since = map[unit]bool{}
	}
	for _, one := range s.search.all() {
		s.since[one.unit] = true
	}
	s.always, s.probed, s.search = err, map[suspect]bool{}, search{}
	clear(s.refused)
}

func (s *refusedStore) accepted(now time.Time) {
	s.accepts, s.acceptedAt = true, now
	s.since, s.message, s.same, s.always, s.probed = nil, "", 0, nil, nil
}

// retried processes the acceptance of a unit that was refused before. Other refused units are tried
// again.
func (s *refusedStore) retried(one suspect) {
	if s.refused[one.unit] == nil {
		return
	}
	delete(s.refused, one.unit)
	s.search.untried, s.search.alone = append(s.search.untried, s.search.alone...), nil
	all := s.search.all()
	for of, refused := range s.refused {
		other := suspect{of, refused.digest}
		if refused.due = true; !slices.Contains(all, other) {
			s.search.untried = append(s.search.untried, other)
		}
	}
	slices.SortFunc(s.search.untried, compareSuspects)
}

func compareSuspects(a, b suspect) int {
	return cmp.Or(cmp.Compare(a.destination, b.destination), cmp.Compare(a.work.String(), b.work.String()), cmp.Compare(a.id, b.id))
}

func backoff(tries int) time.Duration {
	wait := firstRetry
	for range tries - 1 {
		if wait *= 2; wait >= lastRetry {
			return lastRetry
		}
	}
	return wait
}

// answerOf returns the message of a server, and the fix if the server has named files.
func answerOf(err error) answer {
	var storeErr *statestore.Error
	if !errors.As(err, &storeErr) {
		return answer{message: clip(err.Error())}
	}
	said := answer{message: strings.TrimPrefix(storeErr.Err.Error(), statestore.ErrContentRefused.Error()+": ")}
	if storeErr.Remote != "" {
		said.message = strings.TrimSpace(storeErr.Remote)
	}
	if len(storeErr.Paths) > 0 {
		said.fix = storeErr.Fix
	}
	said.message = clip(said.message)
	return said
}

func clip(text string) string {
	if len(text) <= maxRefusedWords {
		return text
	}
	return strings.ToValidUTF8(text[:maxRefusedWords], "") + "..."
}
