package kube

import (
	"slices"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// minDeletions is the number of latest deletions that are certainly cached. The maximum is twice as
// many.
const minDeletions = 10_000

// deletions caches the names of objects that the API reported as deleted. It is safe for concurrent
// use.
type deletions struct {
	mu sync.Mutex
	// recent and before are two generations. When recent is full, it replaces before.
	recent, before map[kratix.Key]struct{}
}

func (d *deletions) note(key kratix.Key, deleted bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.recent, key)
	delete(d.before, key)
	if !deleted {
		return
	}
	if d.recent == nil || len(d.recent) >= minDeletions {
		d.recent, d.before = map[kratix.Key]struct{}{}, d.recent
	}
	d.recent[key] = struct{}{}
}

func (d *deletions) with(more []kratix.Key) []kratix.Key {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]kratix.Key, 0, len(d.recent)+len(d.before)+len(more))
	for _, generation := range []map[kratix.Key]struct{}{d.recent, d.before} {
		for key := range generation {
			all = append(all, key)
		}
	}
	all = append(all, more...)
	slices.SortFunc(all, kratix.Key.Compare)
	return slices.Clip(slices.Compact(all))
}
