package reconcile

import "github.com/kratix-schedule/kratix-schedule/internal/kratix"

// generations holds what one round needed, and hands it to the next.
type generations[K comparable, V any] struct{ now, before map[K]V }

func (m *generations[K, V]) turn() { m.now, m.before = make(map[K]V, len(m.now)), m.now }

// get returns what is remembered of a key.
func (m *generations[K, V]) get(key K) (V, bool) {
	value, ok := m.now[key]
	if !ok {
		if value, ok = m.before[key]; ok {
			m.put(key, value)
		}
	}
	return value, ok
}

// drop forgets a key.
func (m *generations[K, V]) drop(key K) {
	delete(m.now, key)
	delete(m.before, key)
}

// put remembers a value and returns it.
func (m *generations[K, V]) put(key K, value V) V {
	m.now[key] = value
	delete(m.before, key)
	return value
}

// destinationKey is a Destination on a store.
type destinationKey struct {
	store       kratix.StateStoreReference
	destination string
}
