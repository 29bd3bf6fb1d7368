package bucket

import (
	"bytes"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// cache stores contents by their digest, up to a number of bytes. When it is full, it drops random
// entries.
type cache struct {
	mu       sync.Mutex
	most     int
	size     int
	contents map[statestore.Digest][]byte
}

func newCache(most int) *cache {
	return &cache{most: most, contents: map[statestore.Digest][]byte{}}
}

// get returns the content with a digest if it is cached. The caller must not modify it.
func (c *cache) get(sum statestore.Digest) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	content, ok := c.contents[sum]
	return content, ok
}

// put stores a copy of the content, unless it is large in comparison with the cache.
func (c *cache) put(sum statestore.Digest, content []byte) {
	const share = 8
	cost := len(content) + len(sum)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.contents[sum]; there || cost > c.most/share {
		return
	}
	for other, dropped := range c.contents {
		if c.size+cost <= c.most {
			break
		}
		delete(c.contents, other)
		c.size -= len(dropped) + len(other)
	}
	c.contents[sum] = bytes.Clone(content)
	c.size += cost
}
