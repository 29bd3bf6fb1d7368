package applycheck

import (
	"crypto/sha256"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/applycheck/accept"
	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// Limits of a Memory and a State.
const (
	// maxRemembered limits the size of Memory.files, Memory.faults and Memory.digests.
	maxRemembered = 1 << 16
	// maxCompiled is the maximum number of compiled versions of CustomResourceDefinitions.
	maxCompiled = 256
	// maxNeeds limits the size of State.numbers.
	maxNeeds = 1 << 16
)

// Memory caches facts about files, the faults of files, and compiled CustomResourceDefinitions. Its
// size is limited. The zero Memory is empty. It is safe for concurrent use, and all Destinations
// can share it.
type Memory struct {
	mu       sync.Mutex
	files    generations[digest, *fileFacts]
	faults   generations[faultsKey, []fault]
	compiled generations[compiledKey, *customType]
	digests  generations[*byte, digest]
	accepted map[string]*accept.Types
}

// State caches the claims of a Destination's last check. The zero State is empty. Each Destination
// needs its own State. Checks with the same State run one after the other. The contents of the
// checked files must not be modified.
type State struct {
	roots map[tree.Path]*rootState
	// numbers maps each need to its number. It is emptied when it has more than maxNeeds entries.
	numbers map[need]int
	busy    sync.Mutex
}

type faultsKey struct {
	file        digest
	minor       string
	definitions digest
}

type compiledKey struct {
	file           digest
	position       int
	version, minor string
}

// generations is a map of limited size. When the newer half is full, the older half is dropped.
type generations[K comparable, V any] struct {
	newer, older map[K]V
	weight       int
}

func (g *generations[K, V]) get(key K) (V, bool) {
	if value, there := g.newer[key]; there {
		return value, true
	}
	value, there := g.older[key]
	return value, there
}

// put adds an entry. limit is the maximum weight of all entries.
func (g *generations[K, V]) put(key K, value V, weight, limit int) {
	if g.weight+weight > limit/2 && len(g.newer) > 0 {
		g.older, g.newer, g.weight = g.newer, nil, 0
	}
	if g.newer == nil {
		g.newer = map[K]V{}
	}
	if _, there := g.newer[key]; !there {
		g.weight += weight
	}
	g.newer[key] = value
}

// digestOf returns the digest of a content. It caches the digest by the address of the content,
// which usually stays the same between rounds.
func (m *Memory) digestOf(content []byte) digest {
	if len(content) == 0 {
		return sha256.Sum256(nil)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at := &content[len(content)-1]
	if found, known := m.digests.get(at); known {
		return found
	}
	found := sha256.Sum256(content)
	m.digests.put(at, found, 1, maxRemembered)
	return found
}

func (m *Memory) types(minor *schemas.Minor) *accept.Types {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.accepted[minor.Version]
	if found == nil {
		if m.accepted == nil {
			m.accepted = map[string]*accept.Types{}
		}
		found = accept.New(minor, acceptRules(minor))
		m.accepted[minor.Version] = found
	}
	return found
}

func (m *Memory) facts(file digest) (_ *fileFacts, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.files.get(file)
}

// file returns the facts about a file. They have no objects if kustomize cannot read the file.
func (c *check) file(cache *kustomize.Cache, content []byte) *fileFacts {
	m := c.Memory
	key := m.digestOf(content)
	found, known := m.facts(key)
	if known {
		return found
	}
	found = &fileFacts{digest: key}
	read := cache.File(content)
	if read.Err != nil {
		return found
	}
	var faults []fault
	custom := false
	err := cache.Contents(content, read.Objects, func(content *kustomize.Content) {
		facts := factsOf(content)
		facts.position = len(found.objects)
		found.objects = append(found.objects, facts)
		if _, builtin := c.minor.Kind(facts.GroupVersionKind); !builtin {
			custom = true
		} else if facts.applied && !custom {
			faults = append(faults, c.objectFaults(&facts, content)...)
		}
	})
	if err != nil {
		found.objects, custom = nil, true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files.put(key, found, 1+len(found.objects), maxRemembered)
	if !custom {
		m.faults.put(faultsKey{file: key, minor: c.minor.Version}, faults, 1+len(faults), maxRemembered)
	}
	return found
}

func (c *check) contentOf(cache *kustomize.Cache, content []byte, visit func(*objectFacts, *kustomize.Content)) {
	facts := c.file(cache, content)
	if len(facts.objects) == 0 {
		return
	}
	i := 0
	_ = kustomize.Contents(content, cache.File(content).Objects, func(c *kustomize.Content) { // cannot fail: the same content was read before
		if i < len(facts.objects) {
			visit(&facts.objects[i], c)
		}
		i++
	})
}
