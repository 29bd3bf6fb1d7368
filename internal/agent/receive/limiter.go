package receive

import (
	"sync"
	"time"
)

// limiter bounds the number of log lines of a kind in a minute. There are as many kinds as
// there are reasons, so that its size is bounded. Its zero value is ready for use.
type limiter struct {
	mu    sync.Mutex
	kinds map[string]*window
}

// window is a minute of log lines of one kind.
type window struct {
	began time.Time
	// lines and suppressed count those that were allowed and those that were not.
	lines, suppressed int
}

// allow reports whether a line may be logged, and how many of its kind were not since the last
// one that was.
func (l *limiter) allow(kind string, most int, now time.Time) (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.kinds[kind]
	if w == nil {
		if l.kinds == nil {
			l.kinds = map[string]*window{}
		}
		w = &window{began: now}
		l.kinds[kind] = w
	}
	if now.Sub(w.began) >= time.Minute {
		w.began, w.lines = now, 0
	}
	if w.lines >= most {
		w.suppressed++
		return 0, false
	}
	w.lines++
	suppressed, w.suppressed = w.suppressed, 0
	return suppressed, true
}
