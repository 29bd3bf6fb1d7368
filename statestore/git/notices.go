package git

import "sync"

// mostNotices is the maximum number of notices that a store sends. Without it, the number would be
// unlimited, because notices contain the names of Works.
const mostNotices = 100

// notices calls notify once for each message about the commits of a store.
type notices struct {
	notify func(message string)
	mu     sync.Mutex
	seen   map[string]bool
}

// add calls notify with those messages that are new.
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
