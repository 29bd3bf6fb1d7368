package reconcile

import (
	"context"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// AgentStates are the states of roots that agents have reported. The keys are the name of the
// Destination and the directory of the root in the Destination, or "" for all roots.
type AgentStates map[string]map[string]agent.State

type feedback struct {
	deliveries []report.Delivery
	failed     map[destinationKey][]*failedFiles
	findings   []finding.Finding
}

type feedbackCache struct {
	revisions generations[pastKey, *revisions]
	delivered generations[rootKey, deliveryEntry]
}

// pastKey is the cache key of the past states of a store or of one directory.
type pastKey struct {
	store kratix.StateStoreReference
	dir   tree.Path
}

type rootKey struct {
	destinationKey
	root string
}

type deliveryEntry struct {
	state    agent.State
	files    statestore.Files
	known    knownRevisions
	rollBack bool
	related
}

type related struct {
	delivery report.Delivery
	failed   []*failedFiles
	findings []finding.Finding
	// isIncomplete means that a file could not be read.
	isIncomplete bool
}

type knownRevisions struct{ applied, healthy, failed bool }

func (k knownRevisions) covers(other knownRevisions) bool {
	return (k.applied || !other.applied) && (k.healthy || !other.healthy) && (k.failed || !other.failed)
}

// inUse returns the revisions that agents have applied last, by the name of the Destination.
func (f *feedback) inUse() map[string][]statestore.Revision {
	used := map[string][]statestore.Revision{}
	for i := range f.deliveries {
		d := &f.deliveries[i]
		for _, mark := range []agent.Mark{d.State.Applied, d.State.Healthy} {
			if mark.Revision != "" {
				used[d.Destination] = append(used[d.Destination], statestore.Revision(mark.Revision))
			}
		}
	}
	return used
}

func (f *feedbackCache) startRound() {
	f.revisions.rotate()
	f.delivered.rotate()
	for _, past := range f.revisions.before {
		past.loads = 0
	}
}

func relate(ctx context.Context, seen *observed, states AgentStates, policy Policy, read *kustomize.Cache, f *feedbackCache) feedback {
	all := feedback{failed: map[destinationKey][]*failedFiles{}}
	for _, store := range seen.stores {
		if store.err != nil {
			continue
		}
		whole := f.past(store, tree.Path{})
		for _, d := range store.destinations {
			if states[d.Name] == nil {
				continue
			}
			past := []*revisions{whole}
			if store.state.Artifact != nil && !d.base.IsRoot() {
				past = append(past, f.past(store, d.base))
			}
			for _, root := range d.roots {
				state, name, reported := stateOf(states[d.Name], d, root)
				if !reported {
					continue
				}
				made := f.relateRoot(ctx, &delivering{store: store, destinationView: d, root: root, past: past, read: read, policy: policy}, name, state)
				key := destinationKey{store.ref, d.Name}
				all.deliveries, all.findings = append(all.deliveries, made.delivery), append(all.findings, made.findings...)
				all.failed[key] = append(all.failed[key], made.failed...)
			}
		}
	}
	return all
}

// past returns the last states of a directory of a store, including the present state.
func (f *feedbackCache) past(store *storeView, dir tree.Path) *revisions {
	key := pastKey{store.ref, dir}
	past, known := f.revisions.get(key)
	if !known {
		past = f.revisions.put(key, &revisions{hasHistory: statestore.HasHistory(store.Store)})
	}
	revision := string(store.state.Revision)
	if store.state.Artifact != nil {
		if last := past.newest(); last != nil && last.files.Same(store.state.Files, dir) {
			revision = last.revision
		} else {
			revision = store.state.Artifact(dir)
		}
	}
	past.add(revision, &store.state)
	return past
}

// stateOf returns the reported state of a root, if there is one, and the root's directory in the
// Destination.
func stateOf(states map[string]agent.State, d *destinationView, root tree.Path) (state agent.State, name string, reported bool) {
	name = layout.RootName(d.base, root)
	if state, reported = states[name]; !reported {
		state, reported = states[""]
	}
	return state, name, reported
}

// relateRoot compares an agent's report about a root with the placements. It reuses the last result
// if nothing has changed.
func (f *feedbackCache) relateRoot(ctx context.Context, of *delivering, name string, state agent.State) related {
	key := rootKey{destinationKey{of.store.ref, of.Name}, name}
	files := of.store.state.Files
	known, ok := f.delivered.get(key)
	same := ok && !known.isIncomplete && known.state == state && known.rollBack == of.policy.RollBack && known.files.Same(files, of.base)
	if same && known.known.covers(of.knows(&state)) {
		return known.related
	}
	isLoaded := state.Failure == nil || of.load(ctx, state.Applied.Revision) && of.load(ctx, state.Failure.Revision)
	knows := of.knows(&state)
	made := of.relate(ctx, state)
	made.isIncomplete = made.isIncomplete || !isLoaded
	delivery := &made.delivery
	delivery.Destination, delivery.Root, delivery.Stable = of.Name, name, state
	if ok {
		last := known.delivery.Stable
		delivery.Stable.Applied = of.first(last.Applied, known.state.Applied, state.Applied)
		delivery.Stable.Healthy = of.first(last.Healthy, known.state.Healthy, state.Healthy)
	}
	delivery.Stable.Latest = latest(&delivery.Stable)
	f.delivered.put(key, deliveryEntry{state, files, knows, of.policy.RollBack, made})
	return made
}

type delivering struct {
	store *storeView
	*destinationView
	root tree.Path
	// past are the lists of revisions. The first list is of the whole store.
	past    []*revisions
	read    *kustomize.Cache
	policy  Policy
	owned   *owners
	current map[tree.Path]*recordView
}

// currentRecords returns the records of this round by path, except records that lie at several
// paths.
func (d *delivering) currentRecords() map[tree.Path]*recordView {
	if d.current == nil {
		d.current = make(map[tree.Path]*recordView, len(d.records))
		for i := range d.records {
			if record := &d.records[i]; len(record.elsewhere) == 0 {
				d.current[record.path] = record
			}
		}
	}
	return d.current
}

// load reads a revision from the history of the store. It returns false if a later round has to do
// it.
func (d *delivering) load(ctx context.Context, revision string) bool {
	return d.past[0].load(ctx, d.store.Store, revision)
}

func (d *delivering) find(revision string) *pastState {
	for _, past := range d.past {
		if found := past.find(revision); found != nil {
			return found
		}
	}
	return nil
}

func (d *delivering) content(ctx context.Context, then *pastState, path tree.Path) ([]byte, error) {
	if then.contents != nil {
		if content, err := then.contents.Content(ctx, path); err == nil {
			return content, nil
		}
	}
	err := errReplaced
	for _, past := range d.past {
		var content []byte
		if content, err = past.content(ctx, then, path); err == nil {
			return content, nil
		}
	}
	return nil, err
}

func (d *delivering) knows(state *agent.State) knownRevisions {
	isKnown := func(revision string) bool { return d.find(revision) != nil }
	return knownRevisions{isKnown(state.Applied.Revision), isKnown(state.Healthy.Revision), state.Failure != nil && isKnown(state.Failure.Revision)}
}

func (d *delivering) relate(ctx context.Context, state agent.State) related {
	made := report.Delivery{State: state}
	made.Unapplied, made.AppliedKnown = d.changedSince(state.Applied.Revision)
	made.Unchecked, made.HealthyKnown = made.Unapplied, made.AppliedKnown
	if state.Healthy.Revision != state.Applied.Revision {
		made.Unchecked, made.HealthyKnown = d.changedSince(state.Healthy.Revision)
	}
	if state.Failure == nil {
		return related{delivery: made}
	}
	blamed := d.blame(ctx, state)
	made.Failing, made.Suspects = blamed.failing(), blamed.suspects
	all := related{delivery: made}
	all.failed, all.findings, all.isIncomplete = d.failedFiles(ctx, state, blamed)
	return all
}

// first returns the mark before if the root has the same files in the revisions of the marks last and
// now. Otherwise it returns now.
func (d *delivering) first(before, last, now agent.Mark) agent.Mark {
	then, there := d.find(last.Revision), d.find(now.Revision)
	if now.Revision == last.Revision || then != nil && there != nil && then.files.Same(there.files, d.root) {
		return before
	}
	return now
}

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

// changedSince returns the placements whose files have changed since a revision. known is false if
// that revision is not known.
func (d *delivering) changedSince(revision string) (changed map[kratix.Key]bool, known bool) {
	then := d.find(revision)
	if then == nil {
		return nil, false
	}
	changed = map[kratix.Key]bool{}
	for _, c := range d.changes(then.files, d.store.state.Files) {
		changed[c.Placement] = true
	}
	return changed, true
}

func (d *delivering) changes(from, to statestore.Files) []report.Claimant {
	var changed []report.Claimant
	seen := map[report.Claimant]bool{}
	for path := range from.Within(d.root).Differing(to.Within(d.root)) {
		for _, record := range d.owners().of(path) {
			if owner := claimantOf(record.Placement); !seen[owner] {
				seen[owner], changed = true, append(changed, owner)
			}
		}
	}
	return changed
}
