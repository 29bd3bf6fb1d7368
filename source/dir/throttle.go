package dir

import "time"

const (
	// shortestWait is how long the first change after a quiet period is delayed, so that the
	// events of one copy are reported together.
	shortestWait = 5 * time.Millisecond
	// longestWait is the maximum delay while changes keep coming.
	longestWait = 500 * time.Millisecond
)

// throttle coalesces change notifications with exponential backoff: the first change after a quiet
// period is reported almost at once, and while changes keep coming the delay doubles up to
// longestWait. A period is quiet if there is no change for as long as the last delay.
type throttle struct {
	// wait is the duration of the running timer; zero if it is not running.
	wait time.Duration
	// more means that there was a change since the last notification.
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

// due handles the end of the timer. It returns whether to notify, and the duration of the next
// timer, or zero if none is needed.
func (p *throttle) due() (tell bool, wait time.Duration) {
	if !p.more {
		p.wait = 0
		return false, 0
	}
	p.more = false
	p.wait = min(2*p.wait, longestWait)
	return true, p.wait
}
