package reconcile

import (
	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/layout"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// memo remembers from round to round what objects that are still the same in
// memory came to. Its zero value is ready for use.
type memo struct {
	rendered recall[renderKey, rendered]
	records  recall[recordKey, readRecord]
	// read has the objects of files.
	read kustomize.Cache
}

// renderKey is everything that a rendering depends on.
type renderKey struct {
	work        *kratix.Work
	group       string
	destination *kratix.Destination
	name        string
	misplaced   bool
	movedFrom   string
}

// rendered is what a placement looks like, and what is wrong with it.
type rendered struct {
	rendering layout.Rendering
	record    tree.File
	findings  []finding.Finding
}

// recordKey is a record's content, as a store names it.
type recordKey struct {
	store kratix.StateStoreReference
	path  tree.Path
	sum   statestore.Sum
}

type readRecord struct {
	layout.Record
	err error
}

// turn begins a round: what the last one did not need is forgotten.
func (m *memo) turn() {
	m.rendered.turn()
	m.records.turn()
	m.read.Sweep()
}

// recall holds what one round needed, and hands it to the next.
type recall[K comparable, V any] struct{ now, before map[K]V }

func (m *recall[K, V]) turn() { m.now, m.before = make(map[K]V, len(m.now)), m.now }

// get gives what is remembered of a key.
func (m *recall[K, V]) get(key K) (V, bool) {
	value, ok := m.now[key]
	if !ok {
		if value, ok = m.before[key]; ok {
			m.now[key] = value
		}
	}
	return value, ok
}

// put remembers, and gives back what it is given.
func (m *recall[K, V]) put(key K, value V) V {
	m.now[key] = value
	return value
}
