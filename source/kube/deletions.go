package kube

import (
	"slices"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// minDeletions is the minimum number of the latest deletions that are cached; the maximum is twice
// as many. The deletion guard handles deletions that are no longer cached.
const minDeletions = 10_000

// deletions holds the objects that the API reported as deleted. It is safe for concurrent use.
type deletions struct {
	mu sync.Mutex
	// recent and before are two generations: before is dropped when recent is full.
	recent, before map[kratix.Key]struct{}
}

// note records that an object is deleted, or that it exists.
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

// with returns the deleted objects and the given ones, sorted.
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
