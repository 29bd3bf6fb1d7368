package git

import "sync"

// mostNotices is how many notices a store passes on. Their texts contain names of Works, of which
// there can be any number.
const mostNotices = 100

// notices passes each notice about the commits of a store on once.
type notices struct {
	notify func(message string)
	mu     sync.Mutex
	seen   map[string]bool
}

// add passes on the messages that are new.
func (n *notices) add(messages []string) {
	if n.notify == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, message := range messages {
		if n.seen[message] || len(n.seen) >= mostNotices {
			continue
		}
		if n.seen == nil {
			n.seen = map[string]bool{}
		}
		n.seen[message] = true
		n.notify(message)
	}
}
