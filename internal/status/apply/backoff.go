package apply

import (
	"maps"
	"sync"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

// How soon a write that the API server did not take is tried again, at first and at
// last; and the same for all writes while it takes none.
const (
	firstDelay   = time.Second
	longestDelay = 5 * time.Minute
	longestPause = 30 * time.Second
)

// staleLimit is how many times in a row a write may find that its object has moved on
// before that is reported: nothing but a fault of the cluster lasts so long, such as a
// CustomResourceDefinition without a status subresource.
const staleLimit = 5

// target names an object.
type target struct {
	kind string
	key  kratix.Key
}

func targetOf(change status.Change) target {
	return target{change.Object.KindName(), kratix.KeyOf(change.Object)}
}

// refusal is a change that the API server did not take.
type refusal struct {
	// wish is the digest of the object and of the steps up to the refused one, of
	// which there are so many.
	wish  digest
	steps int
	// failures are how many times in a row it was refused; until is when it is tried
	// again.
	failures int
	until    time.Time
	// reported is false while it is not worth a finding.
	reported bool
	verb     status.Verb
	words    string
}

// backoff remembers the changes that the API server did not take. It has one refusal
// at most for each object that has a change.
type backoff struct {
	mu      sync.Mutex
	refused map[target]*refusal
	// paused is until when nothing is written, since the API server takes nothing;
	// pauses are how many times in a row that was so.
	paused time.Time
	pauses int
}

// begin forgets the refusals of objects that have no change any more.
func (b *backoff) begin(lists [][]status.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.refused) == 0 {
		return
	}
	changed := map[target]bool{}
	for _, list := range lists {
		for _, change := range list {
			changed[targetOf(change)] = true
		}
	}
	maps.DeleteFunc(b.refused, func(of target, _ *refusal) bool { return !changed[of] })
}

// allows reports whether a change may be tried now. One whose object, or what is to
// be written, is not what was refused is as new.
func (b *backoff) allows(change status.Change, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	of := targetOf(change)
	known := b.refused[of]
	if known == nil {
		return true
	}
	if len(change.Steps) < known.steps || wishOf(change, known.steps) != known.wish {
		delete(b.refused, of)
		return true
	}
	return !now.Before(known.until)
}

// pausedAt reports whether all writes wait.
func (b *backoff) pausedAt(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Before(b.paused)
}

// pauseLeft returns how long all writes still wait.
func (b *backoff) pauseLeft(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.paused.Sub(now)
}

// pause has all writes wait, longer each time until one is taken; for at least the
// time that the API server asks for.
func (b *backoff) pause(now time.Time, asked time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.paused) {
		return // the writes that were under way fail as well
	}
	b.pauses++
	b.paused = now.Add(min(max(delay(b.pauses), asked), longestPause))
}

// accepted forgets what was refused of a change.
func (b *backoff) accepted(change status.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pauses = 0
	delete(b.refused, targetOf(change))
}

// failed remembers that the step at an index of a change was not taken.
func (b *backoff) failed(change status.Change, step int, now time.Time, why failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	of, wish := targetOf(change), wishOf(change, step+1)
	known := b.refused[of]
	if known == nil || known.wish != wish {
		known = &refusal{wish: wish, steps: step + 1}
		b.refused[of] = known
	}
	known.failures++
	known.until = now.Add(min(max(delay(known.failures), why.asked), longestDelay))
	known.reported = why.kind == refused || known.failures >= staleLimit
	if known.verb = change.Steps[step].Verb; !sameWords(known.words, why.words) {
		known.words = why.words
	}
}

// delay returns how long to wait after so many failures in a row.
func delay(failures int) time.Duration {
	const most = 9 // firstDelay << 9 is more than any delay
	return firstDelay << min(failures-1, most)
}

// next returns how soon there is something to try again; 0 if there is nothing.
func (b *backoff) next(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	var soonest time.Duration
	for _, known := range b.refused {
		if wait := max(known.until.Sub(now), firstDelay); soonest == 0 || wait < soonest {
			soonest = wait
		}
	}
	return soonest
}

// findings returns a finding for each object of which a change is refused.
func (b *backoff) findings() []finding.Finding {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []finding.Finding
	for of, known := range b.refused {
		if known.reported {
			found = append(found, finding.Finding{
				Rule: finding.WriteRefused(), Place: finding.Place{Object: of.kind + " " + of.key.String()},
				Message: string(known.verb) + " is refused: " + known.words,
			})
		}
	}
	finding.Sort(found)
	return found
}
