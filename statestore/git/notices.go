package git

import "sync"

// mostNotices is the maximum number of notices of a store.
const mostNotices = 100

type notices struct {
	notify func(message string)
	mu     sync.Mutex
	seen   map[string]bool
}

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
