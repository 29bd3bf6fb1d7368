// Package throttle limits how many commits per minute a location gets, and how often it is read.
// Changes that must wait are not written, and a later round computes them again. The state stores
// in one repository, bucket or registry share a limit. Only the wrapped stores do I/O.
package throttle

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// DefaultPerMinute is the maximum number of pushes per minute that GitHub recommends for a
// repository.
const DefaultPerMinute = 6

// RegistryPerMinute is the default limit of artifacts per minute to a registry.
const RegistryPerMinute = 300

// Throttle limits the commits of the stores that an Opener opens. Fields may be nil only where
// noted.
type Throttle struct {
	statestore.Opener
	// PerMinute is the default limit of commits per minute to a repository on a git server. 0 means
	// no default limit, also for registries.
	PerMinute int
	// Off means that no location has a limit.
	Off bool
	Now func() time.Time
	// Wake is called when a location may be written again after changes had to wait. It must not
	// block.
	Wake func()
	// Committed is called before each admitted write, with a store of the location and the time for
	// which its changes have waited. It may be nil.
	Committed func(store string, waited time.Duration)
	// Waiting is called for a store when its changes must wait, with the number of placements and
	// the time of the next commit, and with zeros when they no longer wait. It may be nil.
	Waiting func(store string, placements int, next time.Time)

	mu     sync.Mutex
	limits map[string]*limit // by budget
	refs   map[kratix.StateStoreReference]location
}

var (
	_ statestore.Opener = (*Throttle)(nil)
	_ statestore.Keeper = (*Throttle)(nil)
)

// Open opens a store whose commits are limited. If several state stores share a limit, the smallest
// one applies.
func (t *Throttle) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := t.Opener.Open(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	storage, _ := kratix.StorageOf(ref, spec)
	of := budget(spec, storage)
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.limits[of]
	if l == nil {
		_, isRegistry := spec.(*kratix.OCIStateStore)
		l = newLimit(t, isRegistry)
		if t.limits == nil {
			t.limits, t.refs = map[string]*limit{}, map[kratix.StateStoreReference]location{}
		}
		t.limits[of] = l
	}
	if was, ok := t.refs[ref]; ok && was.limit != l {
		was.limit.setRate(ref, 0)
	}
	view := statestore.ViewOf(ref.String(), store)
	t.refs[ref] = location{view.Location, l, storage}
	l.setRate(ref, t.perMinute(spec))
	return view.Through(t.refs[ref]), nil
}

// budget returns the key of a limit: the repository without the branch, the bucket, or the
// registry.
func budget(spec kratix.Object, storage string) string {
	if store, ok := spec.(*kratix.GitStateStore); ok {
		return strings.TrimSuffix(storage, "#"+kratix.BranchName(store.Spec.Branch))
	}
	return storage
}

// perMinute returns the limit of commits per minute to a state store, or 0 for none.
func (t *Throttle) perMinute(spec kratix.Object) int {
	if spec == nil || t.Off {
		return 0
	}
	if limit, set, _ := kratix.CommitsPerMinute(spec); set { // a finding reports an invalid value
		return limit
	}
	switch store := spec.(type) {
	case *kratix.GitStateStore:
		if store.IsRemote() {
			return t.PerMinute
		}
	case *kratix.OCIStateStore:
		if t.PerMinute > 0 {
			return RegistryPerMinute
		}
	}
	return 0
}

// Keep drops the limits without a store in refs, and calls Keep of the Opener.
func (t *Throttle) Keep(refs []kratix.StateStoreReference) {
	t.mu.Lock()
	kept := map[kratix.StateStoreReference]bool{}
	for _, ref := range refs {
		kept[ref] = true
	}
	used := map[*limit]bool{}
	for ref, at := range t.refs {
		if kept[ref] {
			used[at.limit] = true
			continue
		}
		at.limit.setRate(ref, 0)
		delete(t.refs, ref)
	}
	for of, l := range t.limits {
		if !used[l] {
			l.stop()
			delete(t.limits, of)
		}
	}
	t.mu.Unlock()
	statestore.Keep(t.Opener, refs)
}

// Begin must be called when a round begins. It drops the changes that wait, since the round computes
// them again.
func (t *Throttle) Begin() { t.each((*limit).begin) }

// Refresh makes the next read of each location ask its server.
func (t *Throttle) Refresh() { t.RefreshWhere(func(string) bool { return true }) }

// Storages returns the storages of all locations, as kratix.StorageOf returns them.
func (t *Throttle) Storages() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := map[string]bool{}
	for _, at := range t.refs {
		all[at.storage] = true
	}
	return slices.Collect(maps.Keys(all))
}

// RefreshWhere makes the next read of a location ask its server if the storage of the location
// matches.
func (t *Throttle) RefreshWhere(matches func(storage string) bool) {
	t.each(func(l *limit) { l.refresh(matches) })
}

func (t *Throttle) each(do func(*limit)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.limits {
		do(l)
	}
}

// Flush writes the changes that wait, whatever the limit. It is for the end of the process.
func (t *Throttle) Flush(ctx context.Context) {
	t.mu.Lock()
	var writes sync.WaitGroup
	for _, l := range t.limits {
		for inner, parts := range l.takeWaiting() {
			writes.Go(func() { inner.Write(ctx, parts) })
		}
	}
	t.mu.Unlock()
	writes.Wait()
}
