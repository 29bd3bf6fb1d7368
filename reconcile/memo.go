package reconcile

import (
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
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
