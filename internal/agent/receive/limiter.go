package receive

import (
	"sync"
	"time"
)

// limiter limits the number of log lines of each kind per minute. The zero limiter is ready to use.
type limiter struct {
	mu    sync.Mutex
	kinds map[string]*window
}

type window struct {
	began time.Time
	// lines is the number of lines allowed since began. suppressed is the number of lines
	// suppressed since the last allowed line.
	lines, suppressed int
}

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
