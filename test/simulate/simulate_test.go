// Package simulate runs the limit of commits and the workers of the daemon against simulated hosts,
// on a virtual clock.
package simulate

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/throttle"
	"github.com/kratix-schedule/kratix-schedule/statestore/worker"
)

var (
	destinations = flag.Int("destinations", 200, "number of Destinations")
	works        = flag.Int("works", 20_000, "number of Works")
	minutes      = flag.Int("minutes", 10, "simulated minutes")
)

// The files of a Work, their sizes in bytes, and the time of a round for each Work.
const (
	filesOfWork  = 2
	bytesOfWork  = 3 << 10
	packedOfWork = 1 << 10
	timeOfWork   = 4 * time.Microsecond
	burst        = 1000 // Works that change in the middle minute, in addition to the others
	perMinute    = throttle.DefaultPerMinute
	maxReads     = 900 // Destinations on a repository
	ofSmall      = 20  // Destinations on a smaller repository
	ofBucket     = 100 // Destinations on a prefix of a bucket
	changesADay  = 1   // changes of a Work per day
	secondsOfDay = 24 * 60 * 60
	interval     = 5 * time.Minute // after which all stores are read again
)

type kind struct {
	name string
	limits
	// each is the number of Destinations on a state store.
	each int
	// annotation is the limit of commits in the annotation of the state stores, or empty for the
	// default.
	annotation string
	// whole means that an agent reads the files of all Destinations on the state store.
	whole bool
	// kept means that the published limits are kept, and bounded that all changes are written within
	// a time that does not depend on their number.
	kept, bounded bool
	isRegistry    bool
}

// kinds returns the kinds of state stores. docs/explanation/scale.md lists their limits.
func kinds() []kind {
	git := limits{readTime: 150 * time.Millisecond, writeTime: 600 * time.Millisecond, perMinute: 6}
	bucket := limits{readTime: 40 * time.Millisecond, writeTime: 120 * time.Millisecond, page: 1000, files: 3500}
	// An artifact is two manifests: its own tag, and the newest one.
	registry := limits{readTime: 30 * time.Millisecond, writeTime: 300 * time.Millisecond, writes: 10, requestsOfWrite: 2}
	raised := registry
	raised.writes = 100
	return []kind{
		{name: "git, no limit", limits: git, each: maxReads, annotation: "0", whole: true},
		{name: "git", limits: git, each: maxReads, whole: true, kept: true, bounded: true},
		{name: fmt.Sprintf("git, %d Destinations each", ofSmall), limits: git, each: ofSmall, whole: true, kept: true, bounded: true},
		{name: "bucket, no limit", limits: bucket, each: ofBucket, annotation: "0", kept: true, bounded: true},
		{name: "bucket, 6 a minute", limits: bucket, each: ofBucket, annotation: "6", kept: true, bounded: true},
		{name: "OCI, no limit", limits: registry, each: 1, annotation: "0", isRegistry: true},
		{name: "OCI", limits: registry, each: 1, kept: true, isRegistry: true},
		{name: "OCI, 3000 a minute, quota 100", limits: raised, each: 1, annotation: "3000", kept: true, bounded: true, isRegistry: true},
	}
}

type fleet struct {
	kind
	host     *host
	throttle *throttle.Throttle
	workers  *worker.Workers
	stores   []*store
	specs    []kratix.Object
	refs     []kratix.StateStoreReference
	changed  chan struct{}
	woken    chan struct{}

	mu      sync.Mutex
	pending [][]change // by store
	// begun are the writes that have outlasted their round, by store.
	begun   []begunWrite
	latency []time.Duration
	rounds  int
}

// begunWrite is a write of the first changes of a store, based on a revision.
type begunWrite struct {
	changes int
	base    statestore.Revision
}

type change struct {
	work int
	at   time.Time
}

func (f *opener) Open(ref kratix.StateStoreReference, _ kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	var i int
	if _, err := fmt.Sscan(cmp.Or(ref.Dir, ref.Name), &i); err != nil {
		return nil, err
	}
	return f.views[i], nil
}

type opener struct{ views []statestore.View }

func newFleet(of kind) *fleet {
	n := (*destinations + of.each - 1) / of.each
	f := &fleet{kind: of, host: &host{limits: of.limits}, changed: make(chan struct{}, 1), woken: make(chan struct{}, 1), pending: make([][]change, n), begun: make([]begunWrite, n)}
	wake := func() { notify(f.woken) }
	f.throttle = &throttle.Throttle{PerMinute: perMinute, Now: time.Now, Wake: wake}
	all := &opener{}
	for i := range n {
		one := &store{host: f.host, name: fmt.Sprint("store ", i)}
		f.stores, all.views = append(f.stores, one), append(all.views, statestore.ViewOf(one.name, one))
		f.describe(i)
	}
	f.workers = &worker.Workers{Patience: 2 * time.Second, LongestPatience: 20 * time.Second, FirstPause: time.Second, LongestPause: 5 * time.Minute, Wake: wake}
	f.throttle.Opener = &workerStores{f.throttle.Spread(all), f.workers}
	return f
}

// describe adds the object and the reference of a store.
func (f *fleet) describe(i int) {
	var annotations map[string]string
	if f.annotation != "" {
		annotations = map[string]string{kratix.CommitsPerMinuteAnnotation: f.annotation}
	}
	if f.isRegistry {
		spec := &kratix.OCIStateStore{Spec: kratix.OCIStateStoreSpec{URL: "oci://registry.example.com/fleet"}}
		spec.Name, spec.Annotations = "fleet", annotations
		f.specs = append(f.specs, spec)
		f.refs = append(f.refs, kratix.StateStoreReference{Kind: kratix.OCIStateStoreKind, Name: "fleet", Dir: strconv.Itoa(i)})
		return
	}
	spec := testkit.GitStore(strconv.Itoa(i), fmt.Sprintf("https://git.example.com/state-%d.git", i))
	spec.Annotations = annotations
	f.specs = append(f.specs, spec)
	f.refs = append(f.refs, kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: spec.Name})
}

// workerStores opens stores with a worker each, as in the daemon.
type workerStores struct {
	statestore.Opener
	workers *worker.Workers
}

func (w *workerStores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := w.Opener.Open(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	return w.workers.Wrap(statestore.ViewOf(ref.String(), store)), nil
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (f *fleet) fill() {
	changes := make([][]statestore.FileChange, len(f.stores))
	for work := range *works {
		i, paths := f.filesOf(work)
		for _, path := range paths {
			changes[i] = append(changes[i], statestore.FileChange{Path: path})
		}
	}
	for i, s := range f.stores {
		s.files = s.files.With(changes[i])
		changes[i] = nil
	}
}

// filesOf returns the index of the store with a Work, and the files of the Work.
func (f *fleet) filesOf(work int) (int, []tree.Path) {
	destination := work % *destinations
	base := fmt.Sprintf("worker-%05d/", destination)
	return destination / f.each, testkit.Paths(
		fmt.Sprintf("%sresources/team-%d/redis/w%d/5058f/redis.yaml", base, work%97, work),
		fmt.Sprintf("%s.kratix/%02x.kratix/team-%d-w%d.yaml", base, work%251, work%97, work),
	)
}

// arrive changes Works at a steady rate, and additional Works in the middle minute.
func (f *fleet) arrive(ctx context.Context) {
	draw := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // equal runs
	perSecond, due := float64(*works)*changesADay/secondsOfDay, 0.0
	for second := range *minutes * 60 {
		due += perSecond
		if second/60 == *minutes/2 {
			due += burst / 60.0
		}
		f.mu.Lock()
		for ; due >= 1; due-- {
			work := draw.IntN(*works)
			i, _ := f.filesOf(work)
			f.pending[i] = append(f.pending[i], change{work, time.Now()})
		}
		f.mu.Unlock()
		notify(f.changed)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return
		}
	}
}

// bound returns the maximum duration of a change.
func (f *fleet) bound() time.Duration {
	return time.Minute/perMinute + 2*time.Duration(*works)*timeOfWork + 5*time.Second
}

func (f *fleet) run(ctx context.Context, t *testing.T) {
	refresh := time.NewTicker(interval)
	defer refresh.Stop()
	for ctx.Err() == nil {
		f.round(context.WithoutCancel(ctx), t)
		select {
		case <-f.changed:
		case <-f.woken:
		case <-refresh.C:
			f.throttle.Refresh()
		case <-ctx.Done():
		}
	}
}

// round reads all stores, and writes the pending changes.
func (f *fleet) round(ctx context.Context, t *testing.T) {
	f.throttle.Begin()
	f.rounds++
	time.Sleep(time.Duration(*works) * timeOfWork)
	ctx = statestore.JointReads(ctx)
	views, states := make([]statestore.Store, len(f.stores)), make([]statestore.State, len(f.stores))
	failed := make([]error, len(f.stores))
	var reads sync.WaitGroup
	for i, spec := range f.specs {
		views[i], failed[i] = f.throttle.Open(f.refs[i], spec, nil)
		reads.Go(func() { states[i], failed[i] = views[i].Read(ctx) })
	}
	reads.Wait()
	content := make([]byte, bytesOfWork/filesOfWork)
	var parts []statestore.StoreChanges
	var taken [][]change
	var at []int
	f.mu.Lock()
	for i := range f.stores {
		if begun := f.begun[i]; begun.changes > 0 && failed[i] == nil && !states[i].WriteInProgress {
			if f.begun[i] = (begunWrite{}); states[i].Revision != begun.base {
				f.done(i, begun.changes, f.stores[i].written())
			}
		}
		if failed[i] != nil || len(f.pending[i]) == 0 || states[i].WriteInProgress {
			continue
		}
		set := statestore.ChangeSet{Base: states[i].Revision}
		for _, one := range f.pending[i] {
			_, paths := f.filesOf(one.work)
			for _, path := range paths {
				set.Write = append(set.Write, tree.File{Path: path, Content: content})
			}
		}
		slices.SortFunc(set.Write, func(a, b tree.File) int { return tree.Compare(a.Path, b.Path) })
		parts, taken, at = append(parts, statestore.StoreChanges{Store: views[i], Changes: set}), append(taken, f.pending[i]), append(at, i)
	}
	f.mu.Unlock()
	outcomes := statestore.Commit(ctx, parts)
	f.mu.Lock()
	defer f.mu.Unlock()
	for n, outcome := range outcomes {
		switch {
		case errors.Is(outcome.Err, statestore.ErrPending):
			f.begun[at[n]] = begunWrite{len(taken[n]), parts[n].Changes.Base}
		case errors.Is(outcome.Err, statestore.ErrThrottled), errors.Is(outcome.Err, statestore.ErrUnavailable):
		case outcome.Err != nil:
			t.Errorf("%s: %v", f.name, outcome.Err)
		default:
			f.done(at[n], len(taken[n]), time.Now())
		}
	}
}

// done removes the first changes of a store, which were written at a time.
func (f *fleet) done(i, changes int, at time.Time) {
	for _, one := range f.pending[i][:changes] {
		f.latency = append(f.latency, at.Sub(one.at))
	}
	f.pending[i] = f.pending[i][changes:]
}

// heap returns the size of the live heap in bytes.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

type result struct {
	fleet  *fleet
	memory uint64
	// commits is the number of commits to all stores, and most is the maximum for one store.
	commits, most int
	left          int
}

func simulate(t *testing.T, of kind) result {
	before := heap()
	f := newFleet(of)
	f.fill()
	r := result{fleet: f, memory: heap() - before}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { f.run(ctx, t) })
	f.arrive(ctx)
	time.Sleep(90 * time.Second) // the last changes are written
	stop()
	all.Wait()
	f.workers.Finish(t.Context())
	for i, s := range f.stores {
		r.commits += s.commits
		r.most = max(r.most, s.commits)
		r.left += len(f.pending[i])
	}
	slices.Sort(f.latency)
	return r
}

func (r result) quantile(q float64) time.Duration {
	if len(r.fleet.latency) == 0 {
		return 0
	}
	return r.fleet.latency[int(q*float64(len(r.fleet.latency)-1))]
}

// fetched returns how many bytes the agents of all Destinations fetch per minute, if each reads its
// store once a minute.
func (r result) fetched() float64 {
	perStore := float64(r.commits) / float64(len(r.fleet.stores)) / float64(*minutes)
	size := float64(*works) * packedOfWork / float64(*destinations)
	if r.fleet.whole {
		return min(1, perStore) * float64(*destinations) * size * float64(r.fleet.each)
	}
	changed := min(float64(len(r.fleet.latency))/float64(*minutes), float64(*destinations))
	return changed * size
}

func (r result) row() string {
	f, seconds := r.fleet, float64(*minutes*60)
	return fmt.Sprintf("| %s | %d | %.0f | %.1f | %.1f | %d | %.1f | %.1f | %.1f | %.2f GB | %d MiB |", f.name, len(f.stores),
		float64(r.commits)/seconds*60, float64(r.most)/seconds*60, float64(f.host.requests["read"])/seconds, f.host.above+f.host.requests["refused"],
		r.quantile(0.5).Seconds(), r.quantile(0.99).Seconds(), r.quantile(1).Seconds(), r.fetched()/1e9, r.memory>>20)
}

func TestFleet(t *testing.T) {
	testkit.Slow(t)
	var rows []string
	for _, of := range kinds() {
		t.Run(of.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := simulate(t, of)
				rows = append(rows, r.row())
				expected := float64(*works)*changesADay/secondsOfDay*float64(*minutes*60) + burst
				if written := float64(len(r.fleet.latency)); written+float64(r.left) < expected*0.99 || written+float64(r.left) > expected*1.01 {
					t.Errorf("%.0f changes are written and %d wait, of %.0f", written, r.left, expected)
				}
				if !of.kept {
					return
				}
				if above := r.fleet.host.above + r.fleet.host.requests["refused"]; above > 0 {
					t.Errorf("%d commits are above the limit", above)
				}
				if longest := r.quantile(1); of.bounded && (r.left > 0 || longest > r.fleet.bound()) {
					t.Errorf("%d changes are left, and one takes %s; %s is the bound", r.left, longest, r.fleet.bound())
				}
			})
		})
	}
	t.Logf("%d Destinations, %d Works, %d minutes; %d changes a day of each Work and %d Works in one minute\n"+
		"| Kind | stores | commits a minute | of one store | reads a second | above a limit | median, s | 99 %%, s | longest, s | agents fetch a minute | memory |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n%s",
		*destinations, *works, *minutes, changesADay, burst, strings.Join(rows, "\n"))
}
