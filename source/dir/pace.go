package dir

import "time"

const (
	// shortestWait is how long the first change after a quiet time is kept, so
	// that the events of one copy are reported together.
	shortestWait = 5 * time.Millisecond
	// longestWait is how long a change is kept at most while others keep coming.
	longestWait = 500 * time.Millisecond
)

// pace makes few tellings of many changes: the first one after a quiet time is
// reported almost at once, and while more come each waits twice as long as the last,
// up to longestWait. Time is quiet when nothing came for as long as the last
// wait.
type pace struct {
	// wait is what the timer runs for; zero while it does not run.
	wait time.Duration
	// more means that something came since the last telling.
	more bool
}

// change takes in a change. It returns how long a timer must run from now; zero
// when it runs already.
func (p *pace) change() time.Duration {
	p.more = true
	if p.wait > 0 {
		return 0
	}
	p.wait = shortestWait
	return p.wait
}

// due is for when the timer has run. It says whether to tell, and how long the
// timer must run again; zero means not at all.
func (p *pace) due() (tell bool, wait time.Duration) {
	if !p.more {
		p.wait = 0
		return false, 0
	}
	p.more = false
	p.wait = min(2*p.wait, longestWait)
	return true, p.wait
}
