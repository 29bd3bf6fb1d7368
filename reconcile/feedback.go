package reconcile

import (
	"context"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// AgentStates are the states of roots as agents have reported them, by the name of the
// Destination and the directory of the root in it; the directory is empty for an agent that
// reports about the Destination as a whole.
type AgentStates map[string]map[string]agent.State

// feedback relates what agents have reported to the placements in the stores. The zero value is
// ready for use.
type feedback struct {
	revisions generations[kratix.StateStoreReference, *revisions]
	delivered generations[rootKey, deliveryEntry]
}

// rootKey identifies a root of a Destination on a store.
type rootKey struct {
	destinationKey
	root string
}

// deliveryEntry is a delivery and what it was computed from.
type deliveryEntry struct {
	state    agent.State
	files    statestore.Files
	known    knownRevisions
	delivery report.Delivery
}

// knownRevisions reports which revisions of a state are known.
type knownRevisions struct{ applied, healthy, failed bool }

// startRound starts a round and drops what the last round did not use.
func (f *feedback) startRound() {
	f.revisions.rotate()
	f.delivered.rotate()
}

// deliveries returns what agents have reported about the roots of the Destinations that were
// read, in the order of the stores and Destinations.
func (f *feedback) deliveries(ctx context.Context, seen *observed, agents func() AgentStates, read *kustomize.Cache) []report.Delivery {
	if agents == nil {
		return nil
	}
	states := agents()
	var all []report.Delivery
	for _, store := range seen.stores {
		if store.err != nil {
			continue
		}
		past, known := f.revisions.get(store.ref)
		if !known {
			past = f.revisions.put(store.ref, &revisions{})
		}
		past.add(&store.state)
		for _, d := range store.destinations {
			for _, root := range d.roots {
				if state, name, reported := stateOf(states[d.Name], d, root); reported {
					all = append(all, f.delivery(ctx, &delivering{store: store, destinationView: d, root: root, past: past, read: read}, name, state))
				}
			}
		}
	}
	return all
}

// stateOf returns what the agent has reported about a root, with the root's directory in the
// Destination.
func stateOf(states map[string]agent.State, d *destinationView, root tree.Path) (state agent.State, name string, reported bool) {
	name = layout.RootName(d.base, root)
	if state, reported = states[name]; !reported {
		state, reported = states[""]
	}
	return state, name, reported
}

// delivery returns what the agent has reported about a root. It reuses the result of the last
// round if nothing has changed.
func (f *feedback) delivery(ctx context.Context, of *delivering, name string, state agent.State) report.Delivery {
	key := rootKey{destinationKey{of.store.ref, of.Name}, name}
	files := of.store.state.Files
	known, ok := f.delivered.get(key)
	knows := of.knows(&state)
	if ok && known.state == state && known.known == knows && known.files.Same(files, of.base) {
		return known.delivery
	}
	made := of.delivery(ctx, state)
	made.Destination, made.Root, made.Stable = of.Name, name, state
	if ok {
		made.Stable.Applied = of.first(known.delivery.Stable.Applied, known.state.Applied, state.Applied)
		made.Stable.Healthy = of.first(known.delivery.Stable.Healthy, known.state.Healthy, state.Healthy)
	}
	made.Stable.Latest = latest(&made.Stable)
	f.delivered.put(key, deliveryEntry{state, files, knows, made})
	return made
}

// delivering is a root about which an agent has reported.
type delivering struct {
	store *storeView
	*destinationView
	root tree.Path
	past *revisions
	read *kustomize.Cache
	// owned has the owners of files; nil before they are needed.
	owned *owners
	// parts are the parts of the joined file; nil before it is divided.
	parts map[*kratix.WorkPlacement][]byte
}

// knows returns which revisions of a state are known.
func (d *delivering) knows(state *agent.State) knownRevisions {
	isKnown := func(revision string) bool { return d.past.find(revision) != nil }
	return knownRevisions{isKnown(state.Applied.Revision), isKnown(state.Healthy.Revision), state.Failure != nil && isKnown(state.Failure.Revision)}
}

// delivery compares what the agent has reported with the files of the store.
func (d *delivering) delivery(ctx context.Context, state agent.State) report.Delivery {
	made := report.Delivery{State: state}
	made.Unapplied, made.AppliedKnown = d.changedSince(state.Applied.Revision)
	made.Unchecked, made.HealthyKnown = made.Unapplied, made.AppliedKnown
	if state.Healthy.Revision != state.Applied.Revision {
		made.Unchecked, made.HealthyKnown = d.changedSince(state.Healthy.Revision)
	}
	if state.Failure != nil {
		made.Failing, made.Suspects = d.blame(ctx, state)
	}
	return made
}

// first returns the first of several marks whose revisions have the same files in the root:
// before, the first one with the files of last, or now.
func (d *delivering) first(before, last, now agent.Mark) agent.Mark {
	then, there := d.past.find(last.Revision), d.past.find(now.Revision)
	if now.Revision == last.Revision || then != nil && there != nil && then.files.Same(there.files, d.root) {
		return before
	}
	return now
}

// latest returns the time of the newest event that has changed a state.
func latest(s *agent.State) time.Time {
	last := s.Applied.Time
	if s.Healthy.Time.After(last) {
		last = s.Healthy.Time
	}
	if s.Failure != nil && s.Failure.Since.After(last) {
		last = s.Failure.Since
	}
	return last
}

// changedSince returns the placements whose files differ from those of an earlier revision;
// known is false if that revision is not known.
func (d *delivering) changedSince(revision string) (changed map[kratix.Key]bool, known bool) {
	then := d.past.find(revision)
	if then == nil {
		return nil, false
	}
	changed = map[kratix.Key]bool{}
	for _, c := range d.changes(then.files, d.store.state.Files) {
		changed[c.Placement] = true
	}
	return changed, true
}

// changes returns the placements, in order, with files in the root that differ between two
// states of the store.
func (d *delivering) changes(from, to statestore.Files) []report.Claimant {
	var changed []report.Claimant
	seen := map[report.Claimant]bool{}
	for path := range from.Within(d.root).Differing(to.Within(d.root)) {
		for _, owner := range d.owners().of(path) {
			if !seen[owner] {
				seen[owner], changed = true, append(changed, owner)
			}
		}
	}
	return changed
}
