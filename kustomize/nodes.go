package kustomize

import "sync"

// maxFileNodes bounds the nodes of a document, since kustomize takes up to half a
// kilobyte for each. An object that an API server stores has up to 1.5 MiB, which
// is some 300,000 nodes as the densest JSON.
const maxFileNodes = 300_000

// manyNodes is how many nodes files have that are read together.
const manyNodes = 50_000

// budget bounds the nodes that are in memory at once, whoever reads them. The zero
// budget has room for one document of the most that is read.
type budget struct {
	mu    sync.Mutex
	freed sync.Cond
	taken int
}

// take waits until there is room for nodes; what it returns makes room again. What
// alone is more than there is room for waits until there is nothing else.
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
