package dir

import "time"

const (
	// shortestWait is the delay of the first notification after a quiet period.
	shortestWait = 5 * time.Millisecond
	// longestWait is the longest delay of a notification while changes continue.
	longestWait = 500 * time.Millisecond
)

// throttle coalesces change notifications with exponential backoff, from shortestWait to
// longestWait.
type throttle struct {
	// wait is the duration of the running timer, or zero if no timer is running.
	wait time.Duration
	more bool
}

// change records a change. It returns the duration of the timer to start, or zero if a timer is
// running.
func (p *throttle) change() time.Duration {
	p.more = true
	if p.wait > 0 {
		return 0
	}
	p.wait = shortestWait
	return p.wait
}

// due must be called when the timer ends. It reports whether to send a notification, and returns
// the duration of the next timer or zero.
func (p *throttle) due() (tell bool, wait time.Duration) {
	if !p.more {
		p.wait = 0
		return false, 0
	}
	p.more = false
	p.wait = min(2*p.wait, longestWait)
	return true, p.wait
}
