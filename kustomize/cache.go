package kustomize

import (
	"crypto/sha256"
	"runtime"
	"sync"
)

// Cache reads files and remembers their objects by the sum of their content, so
// that a file is read once however often it is looked at. The zero Cache is
// empty. It may be used by several goroutines.
type Cache struct {
	mu    sync.Mutex
	files map[[sha256.Size]byte]*cachedFile
	words map[string]string
	round int
}

type cachedFile struct {
	objects []Object
	err     error
	round   int
}

// Objects gives what the function Objects does. The objects are shared and must
// not be changed.
func (c *Cache) Objects(content []byte) ([]Object, error) {
	sum := sha256.Sum256(content)
	if file := c.known(sum); file != nil {
		return file.objects, file.err
	}
	objects, err := Objects(content)
	c.add(sum, objects, err)
	return objects, err
}

// Load reads many files at once, on all processors.
func (c *Cache) Load(contents [][]byte) {
	work := make(chan [][]byte)
	var done sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(contents)) {
		done.Go(func() {
			for some := range work {
				c.load(some)
			}
		})
	}
	const bundle = 64
	for start := 0; start < len(contents); start += bundle {
		work <- contents[start:min(start+bundle, len(contents))]
	}
	close(work)
	done.Wait()
}

func (c *Cache) load(contents [][]byte) {
	var simple [][]byte
	var sums [][sha256.Size]byte
	for _, content := range contents {
		sum := sha256.Sum256(content)
		switch {
		case c.known(sum) != nil:
		case isSimple(content):
			simple, sums = append(simple, content), append(sums, sum)
		default:
			objects, err := Objects(content)
			c.add(sum, objects, err)
		}
	}
	for i, object := range readTogether(simple) {
		c.add(sums[i], []Object{object}, nil)
	}
}

// Sweep forgets the files that nobody has asked for since the last Sweep.
func (c *Cache) Sweep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for sum, file := range c.files {
		if file.round < c.round {
			delete(c.files, sum)
		}
	}
	c.round++
	c.words = nil
}

func (c *Cache) known(sum [sha256.Size]byte) *cachedFile {
	c.mu.Lock()
	defer c.mu.Unlock()
	file := c.files[sum]
	if file != nil {
		file.round = c.round
	}
	return file
}

func (c *Cache) add(sum [sha256.Size]byte, objects []Object, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files == nil {
		c.files = map[[sha256.Size]byte]*cachedFile{}
	}
	if c.words == nil {
		c.words = map[string]string{}
	}
	for i := range objects {
		id := &objects[i].ID
		id.APIVersion, id.Kind, id.Namespace = c.one(id.APIVersion), c.one(id.Kind), c.one(id.Namespace)
	}
	c.files[sum] = &cachedFile{objects: objects, err: err, round: c.round}
}

// one gives the one copy of a word that very many objects have.
func (c *Cache) one(word string) string {
	if known, there := c.words[word]; there {
		return known
	}
	c.words[word] = word
	return word
}
