package git

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// maxRest bounds how long a server can keep us away.
const maxRest = time.Hour

// rest is the time for which a server asked to be left alone.
type rest struct {
	mu  sync.Mutex
	end time.Time
}

// resting is the error while it lasts.
type resting struct{ end time.Time }

func (r resting) Error() string {
	return "the server asked not to be asked again before " + r.end.UTC().Format(time.TimeOnly) + " UTC"
}

func (r *rest) until(end time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end = end
}

// over fails while the time lasts.
func (r *rest) over(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.end) {
		return resting{r.end}
	}
	return nil
}

// retryAfter reads how long a server wants to be left alone: a number of
// seconds, or a date, which counts from the server's own clock.
func retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRest) //nolint:gosec // 31 bits fit
	}
	then, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(0, then.Sub(now)), maxRest)
}
