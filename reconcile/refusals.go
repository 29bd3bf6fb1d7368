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

// Limits of what is tried and remembered of refused writes.
const (
	// maxTrials is how many writes beside the ordinary ones a round makes in a
	// store to find out what the server refuses.
	maxTrials = 32
	// maxRetries is how many refused units a round tries again.
	maxRetries = 4
	// maxRefused is how many refused units of a store are remembered.
	maxRefused = 256
	// maxRefusedWords bounds what is remembered of a server's words, in bytes.
	maxRefusedWords = 4 << 10
	// firstRetry is how soon a refused unit is tried again, lastRetry the longest
	// it takes.
	firstRetry = 5 * time.Minute
	lastRetry  = 6 * time.Hour
	// searchPause is how soon a search that has used up its trials goes on.
	searchPause = time.Minute
	// alwaysRefused is how many units refused alone in the same words, with nothing
	// accepted in between, show that a server refuses everything; anyhowRefused is
	// how many in whatever words.
	alwaysRefused = 3
	anyhowRefused = 16
	// trust is how long a server that has accepted something is taken for one that
	// does not refuse everything.
	trust = time.Hour
)

// refusals remember what servers refuse, by store. Their zero value is ready for
// use.
type refusals struct {
	stores map[kratix.StateStoreReference]*refusedStore
}

// refusedStore is what is remembered of one store.
type refusedStore struct {
	store statestore.Store
	// apart reports whether a commit that moved placements between directories was
	// refused: from then on the new copies are written first, so that what is
	// refused can be searched for.
	apart bool
	// refused are the units that were refused alone.
	refused map[unit]*refusal
	search  search
	// why is the last refusal of a group.
	why error
	// inHand are the units of a write that goes on.
	inHand []suspect
	// always is why the store counts as failed: it refuses everything. probed are
	// the units that were tried since.
	always error
	probed map[suspect]bool
	// since are the units that were refused alone since anything was accepted; words
	// were said of the last, and of as many before it as same counts.
	since map[unit]bool
	words string
	same  int
	// accepts means that something was accepted, last at acceptedAt.
	accepts    bool
	acceptedAt time.Time
	// trials are those of this round.
	trials int
}

// refusal is a unit that a server refused.
type refusal struct {
	digest digest
	answer answer
	tries  int
	next   time.Time
	// due means that it is tried again in this round.
	due bool
}

// exclusion returns why the unit is not written.
func (r *refusal) exclusion() exclusion {
	return exclusion{digest: r.digest, isKnown: true, answer: r.answer}
}

// of returns what is remembered of a store; nothing is left of one that was
// opened anew.
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

// isEmpty reports whether nothing was refused.
func (s *refusedStore) isEmpty() bool {
	return len(s.refused) == 0 && s.search.isOver() && s.inHand == nil && s.always == nil
}

// begin starts a round: refusals whose time has come are due.
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

// retry makes everything that was refused due in the rounds from now on.
func (r *refusals) retry() {
	for _, store := range r.stores {
		for _, refused := range store.refused {
			refused.next = time.Time{}
		}
	}
}

// sweep forgets the stores that no Destination names.
func (r *refusals) sweep(stores []*storeView) {
	for ref := range r.stores {
		if !slices.ContainsFunc(stores, func(s *storeView) bool { return s.ref == ref }) {
			delete(r.stores, ref)
		}
	}
}

// due returns how soon a round is to try again by itself; 0 for never.
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
	if s.inHand != nil {
		return 0 // the end of the write wakes
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

// known returns what is not written before its time comes or it changes.
func (s *refusedStore) known() exclusions {
	excluded := exclusions{}
	for of, refused := range s.refused {
		if !refused.due {
			excluded.add(of, refused.exclusion())
		}
	}
	return excluded
}

// excluded returns also what only the search may write, but for some units.
func (s *refusedStore) excluded(but []suspect) exclusions {
	excluded := s.known()
	for _, one := range s.search.all() {
		if refused := s.refused[one.unit]; refused != nil && refused.digest == one.digest {
			excluded.add(one.unit, refused.exclusion())
			continue
		}
		excluded.add(one.unit, exclusion{digest: one.digest})
	}
	for _, one := range but {
		delete(excluded[one.destination], one.unit)
	}
	return excluded
}

// take brings what is remembered up to date with what a round would write, where
// the state was read.
func (s *refusedStore) take(d *desired, now time.Time) {
	if s.inHand != nil && !d.state.InHand {
		s.learn(d, now)
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

// learn takes in what became of the write that was in hand.
func (s *refusedStore) learn(d *desired, now time.Time) {
	tried := s.inHand
	s.inHand = nil
	switch current := d.suspects(); {
	case d.state.Refused != nil:
		if s.always == nil {
			s.answer(tried, d.units(), d.state.Refused, now)
		}
	case !slices.ContainsFunc(tried, func(one suspect) bool { return slices.Contains(current, one) }):
		s.accepted(now)
	}
}

// forget drops the refusals of units that are gone, or as they should be.
func (s *refusedStore) forget(d *desired) {
	if len(s.refused) == 0 {
		return
	}
	there := map[unit]bool{}
	for i, o := range d.outcomes {
		there[unit{destination: d.destinations[i].Name}] = true
		for _, told := range o.placements {
			if told.Object != nil {
				there[unitOf(told.Object)] = true
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

// answer takes in that a write of units was refused, by the search or not.
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

// namedBy returns the units whose files a server named, if it named files of one
// unit each.
func namedBy(err error, units []unitChange) []suspect {
	var told *statestore.Error
	if !errors.As(err, &told) {
		return nil
	}
	var named []suspect
	for _, path := range told.Paths {
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

// find remembers units that are refused. When that are too many the store counts
// as failed.
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

// provesRefusal counts refusals, and reports whether there are so many in a row
// that the server must refuse everything.
func (s *refusedStore) provesRefusal(found []suspect, words string, err error) bool {
	var told *statestore.Error
	if errors.As(err, &told) && len(told.Paths) > 0 {
		return false // it takes others
	}
	if words != s.words {
		s.words, s.same = words, 0
	}
	if s.since == nil {
		s.since = map[unit]bool{}
	}
	for _, one := range found {
		if s.since[one.unit] {
			continue // it is tried again
		}
		s.since[one.unit] = true
		s.same++
		if one.isRest() || one.digest == removalDigest() {
			s.same++ // nothing in it could be refused for its content
		}
	}
	return s.same >= alwaysRefused || len(s.since) >= anyhowRefused
}

// fail makes the store count as failed. What is being searched counts as refused:
// what comes later is tried before it.
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

// accepted takes in that something was written.
func (s *refusedStore) accepted(now time.Time) {
	s.accepts, s.acceptedAt = true, now
	s.since, s.words, s.same, s.always, s.probed = nil, "", 0, nil, nil
}

// retried takes in that a unit which was refused is accepted: what else was
// refused may be accepted now too.
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

// backoff returns how long to leave a unit alone that was refused so often.
func backoff(tries int) time.Duration {
	wait := firstRetry
	for range tries - 1 {
		if wait *= 2; wait >= lastRetry {
			return lastRetry
		}
	}
	return wait
}

// answerOf returns what a server said, and what to do if that depends on it.
func answerOf(err error) answer {
	var told *statestore.Error
	if !errors.As(err, &told) {
		return answer{message: clip(err.Error())}
	}
	said := answer{message: strings.TrimPrefix(told.Err.Error(), statestore.ErrContentRefused.Error()+": ")}
	if told.Remote != "" {
		said.message = strings.TrimSpace(told.Remote)
	}
	if len(told.Paths) > 0 {
		said.fix = told.Hint
	}
	said.message = clip(said.message)
	return said
}

// clip bounds a text.
func clip(text string) string {
	if len(text) <= maxRefusedWords {
		return text
	}
	return strings.ToValidUTF8(text[:maxRefusedWords], "") + "..."
}
