package reconcile

import (
	"cmp"
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// outcomes caches the outcomes of the last round. The zero value is ready for use.
type outcomes struct {
	of    generations[*kratix.Destination, cacheEntry]
	roots generations[destinationKey, *checkState]
	read  kustomize.Cache
	// applied and clusters are caches for the checks of applycheck.
	applied  applycheck.Memory
	clusters generations[clusterKey, *applycheck.Cluster]
	// held is the number of bytes of files that the outcomes of this round keep. mayHold is its
	// maximum, or 0 for maxHeld.
	held, mayHold int
	// updated counts the outcomes of update. reused counts those of reuseWritten.
	updated, reused int
}

type clusterKey struct {
	version string
	profile *profile.Profile
}

type cacheEntry struct {
	situation situation
	outcome   *outcome
	// independent is the data for update, or nil if update is not possible.
	independent *independence
	renderings  renderings
}

// keptNodes is the maximum number of YAML nodes that are kept for applycheck. They take about 75
// MiB.
const keptNodes = 500_000

// startRound starts a round and drops the entries that the last round did not use.
func (m *outcomes) startRound(builder kustomize.Builder, stop <-chan struct{}) {
	m.read.Builder, m.read.Stop = builder, stop
	m.held = 0
	m.of.rotate()
	m.roots.rotate()
	m.clusters.rotate()
	m.read.Sweep()
}

func (m *outcomes) forget() {
	m.of, m.roots = generations[*kratix.Destination, cacheEntry]{}, generations[destinationKey, *checkState]{}
}

// outcome returns the outcome on a Destination. It reuses the previous outcome for an equal
// situation. An error means that the store cannot be read.
func (m *outcomes) outcome(ctx context.Context, now situation, unpacked *contents) (*outcome, error) {
	defer m.read.DropNodes() // the nodes of files that applycheck has not visited
	known, ok := m.of.get(now.Destination)
	cluster := m.cluster(now.Destination, now.profile)
	if ok && known.situation.same(&now) {
		m.roots.get(now.key()) // a used entry is kept
		return m.put(known), nil
	}
	if ok && known.staysIndependent(&now) {
		if made, ok := known.reuseWritten(now); ok {
			m.reused++
			return m.put(made), nil
		}
		if made, ok := known.update(ctx, now, m.caches(&checkState{}, cluster), unpacked); ok {
			m.updated++
			return m.put(made), nil
		}
	}
	if ok && known.situation.store.limits != now.store.limits {
		known.renderings = nil // the findings of a rendering depend on the limits
	}
	wanted := render(now, known.renderings, unpacked)
	checked, err := check(ctx, wanted, m.caches(m.checkState(now.key()), cluster))
	if err != nil {
		return newOutcome(checked, changes{}), err
	}
	made := cacheEntry{situation: now.kept(), outcome: newOutcome(checked, diff(checked)), renderings: wanted.renderings}
	made.outcome.findings = slices.Clone(made.outcome.findings) // a copy has no spare capacity
	if made.independent = newIndependent(checked, made.outcome); made.independent != nil {
		made.renderings = nil // renderings are large, and update does not need them
		m.roots.drop(now.key())
	}
	return m.put(made), nil
}

// put caches an entry, and returns its outcome. It drops contents if the round keeps too many
// bytes.
func (m *outcomes) put(made cacheEntry) *outcome {
	if changes := &made.outcome.changes; changes.dropped == nil && changes.size > 0 {
		if m.held+changes.size > cmp.Or(m.mayHold, maxHeld) && made.independent != nil {
			o := *made.outcome
			o.changes = changes.drop(&made.situation, o.units)
			made.outcome = &o
		} else {
			m.held += changes.size
		}
	}
	return m.of.put(made.situation.Destination, made).outcome
}

func (m *outcomes) caches(last *checkState, cluster *applycheck.Cluster) checkCaches {
	return checkCaches{read: &m.read, applied: &m.applied, applyState: last.applies, checkCache: last.builds, cluster: cluster}
}

// cluster returns the description of a Destination's API server. The profile may be nil. An invalid
// version counts as unknown.
func (m *outcomes) cluster(d *kratix.Destination, of *profile.Profile) *applycheck.Cluster {
	key := clusterKey{d.Annotations[scheduler.KubernetesVersionAnnotation], of}
	known, ok := m.clusters.get(key)
	if ok {
		return known
	}
	cluster, err := applycheck.NewCluster(key.version, of)
	if err != nil {
		if cluster, err = applycheck.NewCluster("", of); err != nil {
			cluster = nil
		}
	}
	return m.clusters.put(key, cluster)
}

type checkState struct {
	builds  *dedupe.CheckCache
	applies *applycheck.State
}

func (m *outcomes) checkState(key destinationKey) *checkState {
	last, known := m.roots.get(key)
	if !known {
		last = m.roots.put(key, &checkState{builds: &dedupe.CheckCache{}, applies: &applycheck.State{}})
	}
	return last
}
