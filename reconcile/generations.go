package reconcile

import "github.com/kratix-schedule/kratix-schedule/internal/kratix"

// generations is a cache that drops entries after a whole round without use.
type generations[K comparable, V any] struct{ now, before map[K]V }

func (m *generations[K, V]) rotate() { m.now, m.before = make(map[K]V, len(m.now)), m.now }

func (m *generations[K, V]) get(key K) (V, bool) {
	value, ok := m.now[key]
	if !ok {
		if value, ok = m.before[key]; ok {
			m.put(key, value)
		}
	}
	return value, ok
}

func (m *generations[K, V]) drop(key K) {
	delete(m.now, key)
	delete(m.before, key)
}

func (m *generations[K, V]) put(key K, value V) V {
	m.now[key] = value
	delete(m.before, key)
	return value
}

type destinationKey struct {
	store       kratix.StateStoreReference
	destination string
}

// isSame reports whether two slices are the same memory.
func isSame[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
