package kustomize

import "sync"

// maxFileNodes is the maximum number of YAML nodes of a document.
const maxFileNodes = 300_000

// manyNodes limits the number of nodes of files that are parsed together.
const manyNodes = 50_000

// budget limits the number of nodes that all goroutines together have in memory.
type budget struct {
	mu    sync.Mutex
	freed sync.Cond
	taken int
}

// take waits until the budget has room for the nodes, and returns a function that releases them.
func (b *budget) take(nodes int) (release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.freed.L = &b.mu
	nodes = min(nodes, maxFileNodes)
	for b.taken > 0 && b.taken+nodes > maxFileNodes {
		b.freed.Wait()
	}
	b.taken += nodes
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.taken -= nodes
		b.freed.Broadcast()
	}
}
