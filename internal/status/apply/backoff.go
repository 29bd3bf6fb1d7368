package apply

import (
	"maps"
	"sync"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

// The first and the longest delay before a failed write is retried, and the longest pause of all
// writes.
const (
	firstDelay   = time.Second
	longestDelay = 5 * time.Minute
	longestPause = 30 * time.Second
)

// staleLimit is the number of consecutive failures of an object after which a stale write is
// reported.
const staleLimit = 5

type target struct {
	kind string
	key  kratix.Key
}

func targetOf(change status.Change) target {
	return target{change.Object.KindName(), kratix.KeyOf(change.Object)}
}

type refusal struct {
	// digest is the digest of the object and of the steps up to the refused step. steps is the
	// number of these steps.
	digest digest
	steps  int
	// failures is the number of consecutive refusals, and until is the time of the next retry.
	failures int
	until    time.Time
	reported bool
	verb     status.Verb
	message  string
}

// backoff has the changes that the API server did not accept, at most one for each object.
type backoff struct {
	mu      sync.Mutex
	refused map[target]*refusal
	// paused is the time until which nothing is written. pauses is the number of consecutive
	// pauses.
	paused time.Time
	pauses int
}

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

// allows reports whether a change may be tried now. A change that differs from the refused change
// counts as new.
func (b *backoff) allows(change status.Change, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	of := targetOf(change)
	known := b.refused[of]
	if known == nil {
		return true
	}
	if len(change.Steps) < known.steps || digestOf(change, known.steps) != known.digest {
		delete(b.refused, of)
		return true
	}
	return !now.Before(known.until)
}

func (b *backoff) pausedAt(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Before(b.paused)
}

func (b *backoff) pauseLeft(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.paused.Sub(now)
}

// pause pauses all writes for at most longestPause. Consecutive pauses become longer. asked is the
// pause that the API server asks for.
func (b *backoff) pause(now time.Time, asked time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.paused) {
		return // a concurrent write has already started the pause
	}
	b.pauses++
	b.paused = now.Add(min(max(delay(b.pauses), asked), longestPause))
}

func (b *backoff) accepted(change status.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pauses = 0
	delete(b.refused, targetOf(change))
}

// failed records that a step of a change was not accepted. step is the index of the step.
func (b *backoff) failed(change status.Change, step int, now time.Time, why failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	of, wish := targetOf(change), digestOf(change, step+1)
	known := b.refused[of]
	if known == nil || known.digest != wish {
		known = &refusal{digest: wish, steps: step + 1}
		b.refused[of] = known
	}
	known.failures++
	known.until = now.Add(min(max(delay(known.failures), why.asked), longestDelay))
	known.reported = why.kind == refused || known.failures >= staleLimit
	if known.verb = change.Steps[step].Verb; !sameWords(known.message, why.message) {
		known.message = why.message
	}
}

func delay(failures int) time.Duration {
	const most = 9 // firstDelay << 9 exceeds longestDelay
	return firstDelay << min(failures-1, most)
}

// next returns the time until the next retry, which is at least firstDelay, or 0 if there is
// nothing to retry.
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

func (b *backoff) findings() []finding.Finding {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []finding.Finding
	for of, known := range b.refused {
		if known.reported {
			found = append(found, finding.Finding{
				Rule: finding.WriteRefused(), Place: finding.Place{Object: of.kind + " " + of.key.String()},
				Message: string(known.verb) + " is refused: " + known.message,
			})
		}
	}
	finding.Sort(found)
	return found
}
