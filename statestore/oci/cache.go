package oci

import (
	"container/list"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// cache stores the unpacked contents of layers, up to a size in bytes. It drops the contents that
// were used least recently, but keeps at least one entry.
type cache struct {
	mu   sync.Mutex
	most int
	size int
	at   map[cacheKey]*list.Element
	// used has the entries in the order of their last use, oldest first.
	used *list.List
}

type cacheEntry struct {
	cacheKey
	contents *contents
}

// cacheKey identifies the contents of a layer in the directory of a store.
type cacheKey struct {
	layer digest.Digest
	dir   tree.Path
}

func newCache(most int) *cache {
	return &cache{most: most, at: map[cacheKey]*list.Element{}, used: list.New()}
}

func (c *cache) get(key cacheKey) (*contents, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, known := c.at[key]
	if !known {
		return nil, false
	}
	c.used.MoveToBack(element)
	return element.Value.(*cacheEntry).contents, true //nolint:errcheck,forcetypeassert // all elements are of this type
}

// entryCost is the memory of a file beside its content, in bytes.
const entryCost = 200

func (e *cacheEntry) cost() int { return e.contents.size + len(e.contents.files)*entryCost }

func (c *cache) put(key cacheKey, made *contents) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.at[key]; known {
		return
	}
	entry := &cacheEntry{key, made}
	c.at[key] = c.used.PushBack(entry)
	for c.size += entry.cost(); c.size > c.most && c.used.Len() > 1; {
		oldest := c.used.Remove(c.used.Front()).(*cacheEntry) //nolint:errcheck,forcetypeassert // as above
		delete(c.at, oldest.cacheKey)
		c.size -= oldest.cost()
	}
}
