package reconcile

import (
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// memo remembers from round to round what objects that are still the same in
// memory came to. Its zero value is ready for use.
type memo struct {
	records  recall[*kratix.Destination, recordsView]
	outcomes recall[*kratix.Destination, settled]
	former   recall[kratix.StateStoreReference, *formerIndex]
	// unrecorded is what Destinations have without a record.
	unrecorded recall[*kratix.Destination, unrecordedView]
	told       roll
	fights     fights
	large      large
	contents   contents
	clusters   recall[clusterKey, *dedupe.Memory]
	// read has the objects of files.
	read kustomize.Cache
	// advanced counts the outcomes that were made of those before them, carried
	// those for which no file had to be looked at.
	advanced, carried int
}

// clusterKey is a Destination on a store.
type clusterKey struct {
	store       kratix.StateStoreReference
	destination string
}

// cluster returns what is remembered of a Destination's roots.
func (m *memo) cluster(now *situation) *dedupe.Memory {
	key := clusterKey{now.store.ref, now.Name}
	memory, known := m.clusters.get(key)
	if !known {
		memory = m.clusters.put(key, &dedupe.Memory{})
	}
	return memory
}

// keep has what is remembered of a Destination's roots not forgotten while
// nothing changes, if there is any.
func (m *memo) keep(now *situation) { m.clusters.get(clusterKey{now.store.ref, now.Name}) }

// renderKey is everything that a rendering on a Destination depends on.
type renderKey struct {
	work      *kratix.Work
	group     string
	name      string
	misplaced bool
	movedFrom string
	owner     string
}

// rendered is what a placement looks like, and what is wrong with it.
type rendered struct {
	rendering layout.Rendering
	record    tree.File
	findings  []finding.Finding
	// warnings are reported and hold nothing back.
	warnings []finding.Finding
}

// recordsView is what the records of a Destination say, and the files that they
// were read from.
type recordsView struct {
	store    statestore.Store
	files    statestore.Files
	records  []recordView
	guests   []recordView
	legacy   map[tree.Path][]tree.Path
	findings []finding.Finding
	// spoilt are the files among the records that are none.
	spoilt []tree.Path
	// owners are who wrote them, by the ids recorded.
	owners []string
	ledgerView
	// parsed are the records by the sum of their content.
	parsed map[recordKey]*readRecord
}

// recordKey is a record's content, as its store names it.
type recordKey struct {
	path tree.Path
	sum  statestore.Sum
}

// readRecord is what a file among the records says, or why that is not believed.
type readRecord struct {
	layout.Record
	// path is where the record belongs.
	path tree.Path
	mode string
	err  error
}

// share has a record use words and paths that are there already: of each
// placement a store has a record.
func (r *readRecord) share(words *kratix.Words, files statestore.Files) {
	for i, path := range r.Files {
		r.Files[i] = files.Own(path)
	}
	if r.Placement != nil {
		words.ShareWorkPlacement(r.Placement)
	}
}

// turn begins a round: what the last one did not need is forgotten. Directories
// are built by builder, and no file is read once stop is closed.
func (m *memo) turn(builder kustomize.Builder, stop <-chan struct{}) {
	m.read.Builder, m.read.Stop = builder, stop
	m.records.turn()
	m.outcomes.turn()
	m.former.turn()
	m.unrecorded.turn()
	m.clusters.turn()
	m.contents.shared.turn()
	m.read.Sweep()
}

// recall holds what one round needed, and hands it to the next.
type recall[K comparable, V any] struct{ now, before map[K]V }

func (m *recall[K, V]) turn() { m.now, m.before = make(map[K]V, len(m.now)), m.now }

// get returns what is remembered of a key.
func (m *recall[K, V]) get(key K) (V, bool) {
	value, ok := m.now[key]
	if !ok {
		if value, ok = m.before[key]; ok {
			m.put(key, value)
		}
	}
	return value, ok
}

// drop forgets a key.
func (m *recall[K, V]) drop(key K) {
	delete(m.now, key)
	delete(m.before, key)
}

// put remembers a value and returns it.
func (m *recall[K, V]) put(key K, value V) V {
	m.now[key] = value
	delete(m.before, key)
	return value
}
