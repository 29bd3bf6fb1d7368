package git

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const maxPause = statestore.MaxRetryAfter

type pause struct {
	mu  sync.Mutex
	end time.Time
}

type pausedError struct {
	end  time.Time
	left time.Duration
}

func (r pausedError) Error() string {
	return "the server asked for no more requests before " + r.end.UTC().Format(time.TimeOnly) + " UTC"
}

func (r *pause) until(end time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end = end
}

func (r *pause) over(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.end) {
		return pausedError{r.end, r.end.Sub(now)}
	}
	return nil
}

// retryAfter returns the pause that the headers of a response demand.
func retryAfter(header http.Header) time.Duration {
	return statestore.ParseRetryAfter(header.Get("Retry-After"), header.Get("Date"))
}

// limitedPause is the pause after a response about a rate limit that names no time.
const limitedPause = time.Minute

// limited reports whether a server has rejected a request because of a rate limit.
func (e *statusError) limited() bool {
	switch {
	case e.code == http.StatusTooManyRequests:
		return true
	case e.code != http.StatusForbidden:
		return false
	case e.header.Get("Retry-After") != "", e.header.Get("X-Ratelimit-Remaining") == "0":
		return true
	}
	return saysLimited(e.words)
}

func saysLimited(words string) bool {
	words = strings.ToLower(words)
	for _, phrase := range []string{"rate limit", "rate-limit", "ratelimit", "too many requests", "abuse detection"} {
		if strings.Contains(words, phrase) {
			return true
		}
	}
	return false
}

// wait returns the pause that a response demands, or zero.
func (e *statusError) wait() time.Duration {
	if wait := retryAfter(e.header); wait > 0 {
		return wait
	}
	switch wait := untilReset(e.header); {
	case !e.limited():
		return 0
	case wait > 0:
		return wait
	case saysLimited(e.words):
		return limitedPause
	}
	return 0
}

// untilReset returns the time until the server resets the rate limit, or zero if that is unknown.
func untilReset(header http.Header) time.Duration {
	reset, err := strconv.ParseInt(header.Get("X-Ratelimit-Reset"), 10, 64)
	if err != nil || header.Get("X-Ratelimit-Remaining") != "0" {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(0, time.Unix(reset, 0).Sub(now)), maxPause)
}
