package throttle_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
	"github.com/kratix-schedule/kratix-schedule/statestore/throttle"
)

const (
	remote = "https://git.example.com/state.git"
	local  = "file:///srv/state.git"
)

// branch is a location that counts its reads and writes.
type branch struct{ reads, writes atomic.Int64 }

func (b *branch) Read(ctx context.Context, view statestore.View) (statestore.State, error) {
	b.reads.Add(1)
	return view.Store.Read(ctx)
}

func (b *branch) Write(ctx context.Context, parts []statestore.ViewChanges) []statestore.Outcome {
	b.writes.Add(1)
	return statestore.WriteEach(ctx, parts)
}

// fixture has a throttle for stores in memory with one Location.
type fixture struct {
	*throttle.Throttle
	branch  branch
	stores  map[kratix.StateStoreReference]*memory.Store
	wakes   atomic.Int64
	kept    int
	waited  []time.Duration
	waiting []int
}

func newFixture() *fixture {
	f := &fixture{stores: map[kratix.StateStoreReference]*memory.Store{}}
	f.Throttle = &throttle.Throttle{
		Opener: opener{f}, PerMinute: 6, Now: time.Now, Wake: func() { f.wakes.Add(1) },
		Committed: func(_ string, waited time.Duration) { f.waited = append(f.waited, waited.Round(time.Second)) },
		Waiting:   func(_ string, placements int, _ time.Time) { f.waiting = append(f.waiting, placements) },
	}
	return f
}

// opener is the Opener below the throttle.
type opener struct{ *fixture }

func (f opener) Open(ref kratix.StateStoreReference, _ kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	if f.stores[ref] == nil {
		f.stores[ref] = memory.New(ref.String())
	}
	return statestore.View{Name: ref.String(), Store: f.stores[ref], Location: &f.branch}, nil
}

func (f opener) Keep([]kratix.StateStoreReference) { f.kept++ }

func (f *fixture) open(t *testing.T, name, url string, annotations ...string) statestore.Store {
	t.Helper()
	spec := testkit.GitStore(name, url)
	if len(annotations) > 0 {
		spec.Annotations = map[string]string{kratix.CommitsPerMinuteAnnotation: annotations[0]}
	}
	store, err := f.Throttle.Open(refTo(name), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func refTo(name string) kratix.StateStoreReference {
	return kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: name}
}

// try begins a round that writes a file, and reports whether the file was written.
func (f *fixture) try(t *testing.T, store statestore.Store, file string) bool {
	t.Helper()
	f.Begin()
	return apply(t, store, file)
}

func apply(t *testing.T, store statestore.Store, file string, actions ...statestore.Action) bool {
	t.Helper()
	changes := statestore.ChangeSet{
		Base: storetest.Read(t, store).Revision, Write: testkit.Files(map[string]string{file: time.Now().String()}),
		Placements: []statestore.PlacementChange{{Action: statestore.Place}},
	}
	for _, action := range actions {
		changes.Placements = append(changes.Placements, statestore.PlacementChange{Action: action})
	}
	_, err := store.Apply(t.Context(), changes)
	if err != nil && !errors.Is(err, statestore.ErrThrottled) {
		t.Fatal(err)
	}
	return err == nil
}

func withFakeTime(test func(*testing.T, *fixture)) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) { test(t, newFixture()) })
	}
}

func TestThrottledStoreConforms(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		f := newFixture()
		f.PerMinute = kratix.MaxCommitsPerMinute
		open := func() statestore.Store {
			f.Refresh()
			return f.open(t, "a", remote)
		}
		return storetest.Fixture{Store: open(), Reopen: open, Refuse: func(*testing.T) map[string]string {
			f.stores[refTo("a")].Refuse(testkit.Paths("resources/secret")...)
			return map[string]string{"resources/secret": "s"}
		}}
	})
}

func TestFirstChangeGoesAtOnceAndLaterOnesShareTheNextCommit(t *testing.T) {
	withFakeTime(func(t *testing.T, f *fixture) {
		store := f.open(t, "a", remote)
		if !f.try(t, store, "0") {
			t.Fatal("the first change waits")
		}
		for range 9 {
			if time.Sleep(time.Second); f.try(t, store, "1") {
				t.Fatal("a change is written within 10 s")
			}
		}
		_, err := store.Apply(t.Context(), statestore.ChangeSet{Write: testkit.Files(map[string]string{"1": ""}), Placements: make([]statestore.PlacementChange, 1)})
		if err == nil || err.Error() != "write GitStateStore a: waits for the next commit at 00:00:10 UTC" ||
			!statestore.IsTemporary(err) || statestore.ClassOf(err) != statestore.Server {
			t.Errorf("err %v", err)
		}
		if f.wakes.Load() > 0 {
			t.Error("woken too early")
		}
		time.Sleep(time.Second)
		if synctest.Wait(); f.wakes.Load() != 1 || !f.try(t, store, "1") {
			t.Errorf("woken %d times", f.wakes.Load())
		}
		if want := []time.Duration{0, 9 * time.Second}; !slices.Equal(f.waited, want) {
			t.Errorf("waited %v, want %v", f.waited, want)
		}
		if waiting := slices.Compact(f.waiting); !slices.Equal(waiting, []int{1, 0}) {
			t.Errorf("waiting were %v", waiting)
		}
		if time.Sleep(time.Minute); f.wakes.Load() != 1 {
			t.Error("woken again")
		}
	})(t)
}

func TestCommitsOfARoundFollowEachOther(t *testing.T) {
	withFakeTime(func(t *testing.T, f *fixture) {
		store := f.open(t, "a", remote)
		f.Begin()
		for i := range 7 {
			if written := apply(t, store, "0"); written != (i < 6) {
				t.Errorf("commit %d is written: %v", i+1, written)
			}
		}
		for second := range 60 {
			if f.try(t, store, "0") {
				t.Fatalf("written after %d s", second)
			}
			time.Sleep(time.Second)
		}
		if !f.try(t, store, "0") {
			t.Error("not written after a minute")
		}
	})(t)
}

func TestLongTermRateIsTheLimit(t *testing.T) {
	for name, actions := range map[string][]statestore.Action{"any": nil, "rollback": {statestore.RollBack}} {
		t.Run(name, withFakeTime(func(t *testing.T, f *fixture) {
			store := f.open(t, "a", remote)
			for range 3600 {
				f.Begin()
				for range 10 {
					apply(t, store, "0", actions...)
				}
				time.Sleep(time.Second)
			}
			if commits := f.branch.writes.Load(); commits < 354 || commits > 366 {
				t.Errorf("%d commits in an hour", commits)
			}
		}))
	}
}

func TestRollbackDoesNotWait(t *testing.T) {
	withFakeTime(func(t *testing.T, f *fixture) {
		store := f.open(t, "a", remote)
		f.try(t, store, "0")
		f.Begin()
		if !apply(t, store, "0", statestore.RollBack) {
			t.Error("a rollback waits")
		}
		if time.Sleep(10 * time.Second); f.try(t, store, "0") {
			t.Error("the rollback does not count")
		}
	})(t)
}

func TestLimitIsPerLocationAndTheSmallestOfItsStores(t *testing.T) {
	withFakeTime(func(t *testing.T, f *fixture) {
		a, b, c := f.open(t, "a", remote), f.open(t, "b", strings.TrimSuffix(remote, ".git"), "1"), f.open(t, "c", "https://git.example.com/other")
		again := f.open(t, "a", remote)
		if a != again || statestore.ViewOf("", a).Location != statestore.ViewOf("", b).Location {
			t.Error("two stores on one branch have different locations")
		}
		f.Begin()
		if !apply(t, a, "0") || apply(t, b, "0") || !apply(t, c, "0") {
			t.Error("the limit is not that of the branch")
		}
		if time.Sleep(30 * time.Second); f.try(t, a, "0") {
			t.Error("the limit of store b does not count for store a")
		}
		f.Keep([]kratix.StateStoreReference{refTo("a"), refTo("c")})
		if time.Sleep(5 * time.Second); f.kept != 1 || !f.try(t, a, "0") {
			t.Error("the limit of a store counts that is gone")
		}
	})(t)
}

func TestOnlyServersOfGitAndAnnotatedStoresHaveALimit(t *testing.T) {
	withFakeTime(func(t *testing.T, f *fixture) {
		bucket := func(annotations map[string]string) statestore.Store {
			spec := &kratix.BucketStateStore{}
			spec.Annotations = annotations
			store, err := f.Throttle.Open(refTo("bucket"), spec, nil)
			if err != nil {
				t.Fatal(err)
			}
			return store
		}
		for name, test := range map[string]struct {
			store statestore.Store
			want  bool
		}{
			"a repository on this machine": {f.open(t, "a", local), false},
			"with an annotation":           {f.open(t, "b", local+"b", "6"), true},
			"without a limit":              {f.open(t, "c", remote+"c", "0"), false},
			"with an invalid annotation":   {f.open(t, "d", remote+"d", "many"), true},
			"over ssh":                     {f.open(t, "e", "git@example.com:e"), true},
			"a bucket":                     {bucket(nil), false},
		} {
			f.try(t, test.store, "0")
			if waits := !f.try(t, test.store, "1"); waits != test.want {
				t.Errorf("%s: the second change waits: %v", name, waits)
			}
		}
		if limited := bucket(map[string]string{kratix.CommitsPerMinuteAnnotation: "1"}); !f.try(t, limited, "0") || f.try(t, limited, "1") {
			t.Error("the annotation of a bucket has no effect")
		}
	})(t)
}

func TestReadsBetweenCommitsAreReused(t *testing.T) {
	withFakeTime(func(t *testing.T, f *fixture) {
		a, b := f.open(t, "a", remote), f.open(t, "b", local)
		reads := func(do func()) int {
			before := f.branch.reads.Load()
			do()
			return int(f.branch.reads.Load() - before)
		}
		for range 20 {
			storetest.Read(t, a)
			time.Sleep(time.Second)
		}
		if f.branch.reads.Load() != 2 {
			t.Errorf("%d reads in 20 s", f.branch.reads.Load())
		}
		if n := reads(func() { f.Refresh(); storetest.Read(t, a) }); n != 1 {
			t.Errorf("%d reads after Refresh", n)
		}
		for storage, want := range map[string]int{"git.example.com/state#main": 1, "git.example.com/other#main": 0} {
			n := reads(func() {
				f.RefreshWhere(func(of string) bool { return of == storage })
				storetest.Read(t, a)
			})
			if n != want {
				t.Errorf("%d reads after a push to %s", n, storage)
			}
		}
		if all := f.Storages(); len(all) != 2 || !slices.Contains(all, "git.example.com/state#main") {
			t.Errorf("the locations are %q", all)
		}
		if n := reads(func() { f.try(t, a, "0"); storetest.Read(t, a); storetest.Read(t, a) }); n != 1 {
			t.Errorf("%d reads after a commit", n)
		}
		if n := reads(func() { storetest.Read(t, b); storetest.Read(t, b) }); n != 2 {
			t.Errorf("%d reads without a limit", n)
		}
	})(t)
}

func TestBranchesOfARepositoryShareTheLimit(t *testing.T) {
	withFakeTime(func(t *testing.T, f *fixture) {
		open := func(name, url, branch string) statestore.Store {
			spec := testkit.GitStore(name, url)
			spec.Spec.Branch = branch
			store, err := f.Throttle.Open(refTo(name), spec, nil)
			if err != nil {
				t.Fatal(err)
			}
			return store
		}
		one, two, other := open("a", remote, "one"), open("b", remote, "two#one"), open("c", "https://git.example.com/state-2", "one")
		if statestore.ViewOf("", one).Location == statestore.ViewOf("", two).Location {
			t.Error("two branches are one location")
		}
		if !f.try(t, one, "0") || f.try(t, two, "0") || !f.try(t, other, "0") {
			t.Error("the limit is not that of the repository")
		}
		storetest.Read(t, two)
		reads := f.branch.reads.Load()
		if time.Sleep(10 * time.Second); !f.try(t, one, "1") {
			t.Error("a change waits for more than 10 s")
		}
		if storetest.Read(t, two); f.branch.reads.Load() != reads+2 {
			t.Errorf("%d reads", f.branch.reads.Load()-reads)
		}
		if time.Sleep(time.Second); f.try(t, one, "2") {
			t.Error("the commit of a branch does not count")
		}
		if reads = f.branch.reads.Load(); storetest.Read(t, two).Revision == "" && f.branch.reads.Load() != reads {
			t.Error("a commit to one branch makes another one be read")
		}
		if all := f.Storages(); len(all) != 3 {
			t.Errorf("the locations are %q", all)
		}
	})(t)
}

func TestStaleStateIsReadAgain(t *testing.T) {
	withFakeTime(func(t *testing.T, f *fixture) {
		store := f.open(t, "a", remote)
		storetest.Read(t, store)
		storetest.Write(t, f.stores[refTo("a")], map[string]string{"theirs": "1"})
		f.Begin()
		changes := statestore.ChangeSet{Base: storetest.Read(t, store).Revision, Write: testkit.Files(map[string]string{"ours": "1"})}
		if _, err := store.Apply(t.Context(), changes); !errors.Is(err, statestore.ErrStale) {
			t.Fatalf("err %v", err)
		}
		changes.Base = storetest.Read(t, store).Revision
		if _, err := store.Apply(t.Context(), changes); err != nil {
			t.Error(err)
		}
		storetest.Holds(t, store, map[string]string{"theirs": "1", "ours": "1"})
	})(t)
}

// unfinished is a store whose state is not final.
type unfinished struct {
	statestore.Store
	state statestore.State
}

func (u *unfinished) Read(context.Context) (statestore.State, error) { return u.state, nil }

func TestUnfinishedStatesAreReadAgain(t *testing.T) {
	withFakeTime(func(t *testing.T, f *fixture) {
		for i, state := range []statestore.State{{WriteInProgress: true}, {Refused: statestore.ErrContentRefused}, {Unfinished: testkit.Paths("a")}} {
			view := statestore.ViewOf("", f.open(t, "a", remote))
			view.Store = &unfinished{view.Store, state}
			for range 2 {
				_, _ = view.Read(t.Context())
			}
			if f.branch.reads.Load() != int64(2*(i+1)) {
				t.Errorf("%+v is read %d times", state, f.branch.reads.Load()-int64(2*i))
			}
		}
	})(t)
}

func TestFlushWritesWhatWaits(t *testing.T) {
	withFakeTime(func(t *testing.T, f *fixture) {
		a, b := f.open(t, "a", remote), f.open(t, "b", remote)
		f.try(t, a, "first")
		f.Begin()
		apply(t, a, "dropped")
		f.Begin()
		apply(t, a, "second")
		apply(t, b, "reverted")
		if _, err := b.Apply(t.Context(), statestore.ChangeSet{}); err != nil {
			t.Error(err)
		}
		writes := f.branch.writes.Load()
		f.Flush(t.Context())
		f.Flush(t.Context())
		if n := f.branch.writes.Load() - writes; n != 1 {
			t.Errorf("%d writes", n)
		}
		state := storetest.Read(t, f.stores[refTo("a")])
		if !state.Files.Has(testkit.Path("second")) || state.Files.Has(testkit.Path("dropped")) || storetest.Read(t, f.stores[refTo("b")]).Files.Len() > 0 {
			t.Errorf("files %v", state.Files)
		}
	})(t)
}
