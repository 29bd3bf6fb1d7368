package reconcile

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// outcomes are those of the last round, and what it takes to make the next ones from
// them. The zero value is ready for use.
type outcomes struct {
	of generations[*kratix.Destination, cacheEntry]
	// roots are what the checks remember.
	roots generations[destinationKey, *dedupe.Memory]
	// read has the objects of files.
	read kustomize.Cache
	// updated counts the outcomes that were made of those before them, carried
	// those for which no file had to be read.
	updated, reused int
}

// cacheEntry is an outcome and what it came from.
type cacheEntry struct {
	situation situation
	outcome   *outcome
	// independent is what update needs; nil when that is not possible.
	independent *independence
	// renderings are those of the placements, unless the placements are independent.
	renderings renderings
}

// turn begins a round: what the last one did not need is forgotten. Directories are built
// by builder, and no file is read once stop is closed.
func (m *outcomes) turn(builder kustomize.Builder, stop <-chan struct{}) {
	m.read.Builder, m.read.Stop = builder, stop
	m.of.turn()
	m.roots.turn()
	m.read.Sweep()
}

// forget forgets everything but files.
func (m *outcomes) forget() {
	m.of, m.roots = generations[*kratix.Destination, cacheEntry]{}, generations[destinationKey, *dedupe.Memory]{}
}

// outcome finds out what a Destination should be like: the one way from what a
// Destination is and should have to what is written there. What came of the same before
// is taken again. The error is the store's.
func (m *outcomes) outcome(ctx context.Context, now situation, unpacked *contents) (*outcome, error) {
	known, ok := m.of.get(now.Destination)
	if ok && known.situation.same(&now) {
		m.roots.get(now.key()) // else they would be forgotten while nothing changes
		return known.outcome, nil
	}
	if ok && known.staysIndependent(&now) {
		if made, ok := known.reuseWritten(now); ok {
			m.reused++
			return m.of.put(now.Destination, made).outcome, nil
		}
		if made, ok := known.update(ctx, now, &m.read, unpacked); ok {
			m.updated++
			return m.of.put(now.Destination, made).outcome, nil
		}
	}
	if ok && known.situation.store.limits != now.store.limits {
		known.renderings = nil // what is wrong with it may be something else
	}
	wanted := render(now, known.renderings, unpacked)
	checked, err := check(ctx, wanted, &m.read, m.memory(now.key()))
	if err != nil {
		return newOutcome(checked, changes{}), err
	}
	made := cacheEntry{situation: now.kept(), outcome: newOutcome(checked, diff(checked)), renderings: wanted.renderings}
	if made.independent = newIndependent(checked, made.outcome); made.independent != nil {
		made.renderings = nil // a digest is enough, and contents are large
		m.roots.drop(now.key())
	}
	return m.of.put(now.Destination, made).outcome, nil
}

// memory returns what the last check of a Destination remembers.
func (m *outcomes) memory(key destinationKey) *dedupe.Memory {
	memory, known := m.roots.get(key)
	if !known {
		memory = m.roots.put(key, &dedupe.Memory{})
	}
	return memory
}
