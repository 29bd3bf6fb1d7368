package reconcile

import (
	"bytes"
	"context"
	"fmt"
	"math/bits"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

type refusingStore struct {
	statestore.Store
	refuses func(statestore.ChangeSet) string
	names   bool
	pushes  []statestore.ChangeSet
}

func (s *refusingStore) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if changes.Empty() {
		return changes.Base, nil
	}
	s.pushes = append(s.pushes, changes)
	if words := s.refuses(changes); words != "" {
		told := &statestore.Error{Op: "write", Store: "GitStateStore default", Err: fmt.Errorf("%w: hook declined", statestore.ErrContentRefused), Remote: words, Fix: "Ask."}
		for _, file := range changes.Write {
			if s.names && bytes.Contains(file.Content, []byte("AKIA")) {
				told.Paths = append(told.Paths, file.Path)
			}
		}
		return "", told
	}
	return s.Store.Apply(ctx, changes)
}

func (s *refusingStore) count() int {
	n := len(s.pushes)
	s.pushes = nil
	return n
}

func holdsKey(changes statestore.ChangeSet) string {
	for _, file := range changes.Write {
		if bytes.Contains(file.Content, []byte("AKIA")) {
			return fmt.Sprintf("push protection: %s holds a key", file.Path)
		}
	}
	return ""
}

type refusing struct {
	*testEnv
	server *refusingStore
	now    time.Time
}

func newRefusing(t *testing.T, destinations int) *refusing {
	w := &refusing{testEnv: newEnv(t), server: &refusingStore{Store: memory.New("GitStateStore default"), refuses: holdsKey}, now: time.Unix(1e9, 0)}
	w.store = w.server
	w.snapshot.Destinations = nil
	for i := range destinations {
		name := fmt.Sprint("worker-", i)
		w.addDestination(name, name).Labels = map[string]string{"name": name}
	}
	w.reconciler.Now = func() time.Time { return w.now }
	return w
}

func (w *refusing) bring(name, destination, data string) *kratix.Work {
	made := w.putFiles(name, map[string]string{"map.yaml": testkit.ConfigMaps(name) + "data: {text: \"" + data + "\"}\n"})
	made.Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{Source: kratix.PromiseSource, MatchLabels: map[string]string{"name": destination}}}
	return made
}

func wantStates(t *testing.T, r report.Report, others report.State, want map[string]report.State) {
	t.Helper()
	for _, p := range r.Placements {
		name := strings.TrimPrefix(p.Work, "default/")
		expected, named := want[name]
		if !named {
			expected = others
		}
		if p.State != expected {
			t.Errorf("%s is %s (%s), want %s", name, p.State, p.Reason, expected)
		}
	}
}

func findingsOf(r report.Report, rule finding.Rule) []finding.Finding {
	var of []finding.Finding
	for _, f := range r.Findings {
		if f.Rule == rule {
			of = append(of, f)
		}
	}
	return of
}

func TestRefusedPlacementBesideADestinationWithoutChanges(t *testing.T) {
	for _, others := range []string{"", "good"} {
		w := newRefusing(t, 3)
		for i := range 3 {
			w.bring(fmt.Sprint("before-", i), fmt.Sprint("worker-", i), "")
		}
		w.round()
		w.bring("bad", "worker-1", "AKIA")
		want := map[string]report.State{"bad": report.HeldBack}
		if others != "" {
			w.bring(others, "worker-1", "")
			want[others] = report.Placed
		}
		wantStates(t, w.round(), report.Unchanged, want)
		want = map[string]report.State{"bad": report.HeldBack}
		wantStates(t, w.round(), report.Unchanged, want)
	}
}

func TestRefusedPlacementIsFoundAndTheRestIsWritten(t *testing.T) {
	for name, c := range map[string]struct {
		works, destinations int
		bad                 []int
	}{
		"one of three":                    {works: 3, destinations: 1, bad: []int{1}},
		"the first of many":               {works: 64, destinations: 1, bad: []int{0}},
		"the last of many":                {works: 64, destinations: 1, bad: []int{63}},
		"one on one of many Destinations": {works: 64, destinations: 8, bad: []int{17}},
		"two far apart":                   {works: 64, destinations: 4, bad: []int{3, 50}},
		"two side by side":                {works: 50, destinations: 1, bad: []int{20, 21}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newRefusing(t, c.destinations)
			for i := range c.destinations {
				w.bring(fmt.Sprint("before-", i), fmt.Sprint("worker-", i), "")
			}
			w.round()
			w.remove("before-0") // the removal must succeed
			want := map[string]report.State{}
			for i := range c.works {
				w.bring(fmt.Sprintf("work-%02d", i), fmt.Sprint("worker-", i%c.destinations), "")
			}
			for _, i := range c.bad {
				w.bring(fmt.Sprintf("work-%02d", i), fmt.Sprint("worker-", i%c.destinations), "AKIA")
				want[fmt.Sprintf("work-%02d", i)] = report.HeldBack
			}
			for i := range c.destinations {
				want[fmt.Sprint("before-", i)] = report.Unchanged
			}
			want["before-0"] = report.Removed
			w.server.count()
			r := w.round()
			wantStates(t, r, report.Placed, want)
			if most, got := 1+len(c.bad)*(bits.Len(uint(c.works))+3)+1, w.server.count(); got > most {
				t.Errorf("%d pushes, want at most %d", got, most)
			}
			told := findingsOf(r, finding.PlacementRefused())
			if len(told) != len(c.bad) || r.Has(finding.StoreFailed()) {
				t.Errorf("found %v", r.Findings)
			}
			for _, f := range told {
				name := strings.TrimPrefix(f.Place.Object, "Work default/")
				if want[name] != report.HeldBack || !strings.Contains(f.Message, "push protection: worker-") || !strings.Contains(f.Message, name+"/") {
					t.Errorf("of %s it is said: %s", f.Place.Object, f.Message)
				}
			}
			for _, path := range w.paths() {
				for _, i := range c.bad {
					if strings.Contains(path, fmt.Sprintf("work-%02d", i)) {
						t.Errorf("%s is written", path)
					}
				}
			}
			for range 3 {
				w.now = w.now.Add(time.Minute)
				r = w.round()
				if got := w.server.count(); got > 0 || len(findingsOf(r, finding.PlacementRefused())) != len(c.bad) {
					t.Errorf("a later round makes %d pushes and says %v", got, r.Findings)
				}
			}
		})
	}
}

func TestRefusedPlacementKeepsStoredFiles(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		t.Run(mode, func(t *testing.T) {
			w := newRefusing(t, 1)
			w.snapshot.Destinations[0].Spec.Filepath.Mode = mode
			bring := func(name, data string) {
				w.putFiles(name, map[string]string{name + ".yaml": testkit.ConfigMaps(name) + "data: {text: \"" + data + "\"}\n"})
			}
			for _, name := range []string{"a", "b", "c"} {
				bring(name, "first")
			}
			w.round()
			for _, name := range []string{"a", "c", "d"} {
				bring(name, "second")
			}
			bring("b", "second AKIA")
			r := w.round()
			wantStates(t, r, report.Placed, map[string]report.State{"b": report.HeldBack})
			all := ""
			for path := range w.state().Files.All() {
				if !strings.Contains(path.String(), ".kratix") {
					all += w.content(path.String()) + "\n---\n"
				}
			}
			for text, want := range map[string]int{"first": 1, "second": 3, "AKIA": 0, "name: b\n": 1} {
				if got := strings.Count(all, text); got != want {
					t.Errorf("%q is there %d times, want %d:\n%s", text, got, want, all)
				}
			}
			bring("b", "third")
			wantStates(t, w.round(), report.Unchanged, map[string]report.State{"b": report.Placed})
		})
	}
}

func TestRefusedPlacementIsTriedAgain(t *testing.T) {
	start := func(t *testing.T) *refusing {
		w := newRefusing(t, 1)
		w.bring("bad", "worker-0", "AKIA")
		for i := range 10 {
			w.bring(fmt.Sprint("good-", i), "worker-0", "")
		}
		w.round()
		w.server.count()
		return w
	}
	round := func(t *testing.T, w *refusing, pushes int, state report.State) {
		t.Helper()
		r := w.round()
		if got := w.server.count(); got != pushes {
			t.Errorf("%d pushes, want %d", got, pushes)
		}
		wantStates(t, r, report.Unchanged, map[string]report.State{"bad": state})
	}
	t.Run("when its content changes, and beside what else changes", func(t *testing.T) {
		w := start(t)
		w.bring("bad", "worker-0", "AKIA again")
		w.bring("good-1", "worker-0", "changed")
		r := w.round()
		wantStates(t, r, report.Unchanged, map[string]report.State{"bad": report.HeldBack, "good-1": report.Placed})
		if w.server.count() != 2 || holdsKey(w.server.firstPush()) != "" {
			t.Error("what is good waits for what is bad")
		}
		w.bring("bad", "worker-0", "mended")
		round(t, w, 1, report.Placed)
	})
	t.Run("after a while, and less and less often", func(t *testing.T) {
		w := start(t)
		for _, wait := range []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, 80 * time.Minute, 160 * time.Minute, 320 * time.Minute, 6 * time.Hour, 6 * time.Hour} {
			w.now = w.now.Add(wait - time.Second)
			round(t, w, 0, report.HeldBack)
			if due := w.round().Due; due <= 0 || due > time.Minute {
				t.Errorf("due in %s", due)
			}
			w.now = w.now.Add(time.Second)
			round(t, w, 1, report.HeldBack)
		}
	})
	t.Run("when it is asked for", func(t *testing.T) {
		w := start(t)
		w.reconciler.TryRefused()
		round(t, w, 1, report.HeldBack)
		w.server.refuses = func(statestore.ChangeSet) string { return "" }
		round(t, w, 0, report.HeldBack)
		w.reconciler.TryRefused()
		round(t, w, 1, report.Placed)
	})
	t.Run("when the store is opened again", func(t *testing.T) {
		w := start(t)
		w.server = &refusingStore{Store: w.server.Store, refuses: func(statestore.ChangeSet) string { return "" }}
		w.store = w.server
		round(t, w, 1, report.Placed)
	})
}

func (s *refusingStore) firstPush() statestore.ChangeSet {
	if len(s.pushes) == 0 {
		return statestore.ChangeSet{}
	}
	return s.pushes[0]
}

func TestRefusedUnitsAreRetriedOnceOneIsAccepted(t *testing.T) {
	w := newRefusing(t, 2)
	for i := range 20 {
		w.bring(fmt.Sprintf("bad-%02d", i), fmt.Sprint("worker-", i%2), "AKIA")
		w.bring(fmt.Sprintf("good-%02d", i), fmt.Sprint("worker-", i%2), "")
	}
	for range 5 {
		w.round()
	}
	r := w.round()
	if held := len(findingsOf(r, finding.PlacementRefused())); held != 20 || r.Has(finding.StoreFailed()) {
		t.Fatalf("%d are held: %v", held, r.Findings)
	}
	w.server.refuses = func(statestore.ChangeSet) string { return "" }
	w.now = w.now.Add(5 * time.Minute)
	w.server.count()
	wantStates(t, w.round(), report.Placed, map[string]report.State{
		"good-00": report.Unchanged, "good-01": report.Unchanged, "good-02": report.Unchanged, "good-03": report.Unchanged, "good-04": report.Unchanged,
		"good-05": report.Unchanged, "good-06": report.Unchanged, "good-07": report.Unchanged, "good-08": report.Unchanged, "good-09": report.Unchanged,
		"good-10": report.Unchanged, "good-11": report.Unchanged, "good-12": report.Unchanged, "good-13": report.Unchanged, "good-14": report.Unchanged,
		"good-15": report.Unchanged, "good-16": report.Unchanged, "good-17": report.Unchanged, "good-18": report.Unchanged, "good-19": report.Unchanged,
	})
	if got := w.server.count(); got > 3 {
		t.Errorf("%d pushes", got)
	}
}

func TestServerThatRefusesEverythingIsAFailedStore(t *testing.T) {
	w := newRefusing(t, 1)
	for i := range 100 {
		w.bring(fmt.Sprintf("work-%02d", i), "worker-0", "")
	}
	w.server.refuses = func(statestore.ChangeSet) string { return "protected branch: use a pull request" }
	r := w.round()
	if got := w.server.count(); got > 30 {
		t.Errorf("%d pushes", got)
	}
	if !r.Has(finding.StoreFailed()) || r.Has(finding.PlacementRefused()) {
		t.Errorf("found %v", r.Findings)
	}
	wantStates(t, r, report.Failed, nil)
	for range 5 {
		r = w.round()
		if got := w.server.pushes; len(got) != 1 || got[0].Divisible {
			t.Errorf("%d pushes of a later round", len(got))
		}
		w.server.count()
		if !r.Has(finding.StoreFailed()) {
			t.Errorf("found %v", r.Findings)
		}
		wantStates(t, r, report.Failed, nil)
	}
	w.server.refuses = func(statestore.ChangeSet) string { return "" }
	r = w.round()
	wantStates(t, r, report.Placed, nil)
	if got := w.server.count(); got > 2 || len(r.Findings) > 0 {
		t.Errorf("%d pushes when the server takes all, found %v", got, r.Findings)
	}
}

func TestManyEqualRefusalsDoNotFailAStoreThatAccepts(t *testing.T) {
	w := newRefusing(t, 1)
	w.server.refuses = func(changes statestore.ChangeSet) string {
		if holdsKey(changes) == "" {
			return ""
		}
		return "policy violation"
	}
	w.bring("good", "worker-0", "")
	w.round()
	for i := range 10 {
		w.bring(fmt.Sprint("bad-", i), "worker-0", "AKIA")
	}
	r := w.round()
	if r.Has(finding.StoreFailed()) || r.Counts()[report.HeldBack] != 10 {
		t.Fatalf("%v: %v", r.Counts(), r.Findings)
	}
	w.bring("late", "worker-0", "")
	w.server.count()
	if r = w.round(); r.Counts()[report.Placed] != 1 || w.server.count() != 1 {
		t.Errorf("%v: %v", r.Counts(), r.Findings)
	}
}

func TestLaterUnitsAreTriedFirstWhereEverythingWasRefused(t *testing.T) {
	w := newRefusing(t, 1)
	w.write(map[string]string{"worker-0/dependencies/kratix-canary-namespace.yaml": "", "worker-0/resources/kratix-canary-configmap.yaml": ""})
	w.reconciler = &Reconciler{Source: w, Stores: w, Now: w.reconciler.Now}
	w.server.refuses = func(changes statestore.ChangeSet) string {
		if holdsKey(changes) == "" {
			return ""
		}
		return "policy violation"
	}
	for i := range 5 {
		w.bring(fmt.Sprint("bad-", i), "worker-0", "AKIA")
	}
	if r := w.round(); !r.Has(finding.StoreFailed()) {
		t.Fatalf("%v: %v", r.Counts(), r.Findings)
	}
	w.bring("late", "worker-0", "")
	r := w.round()
	if r.Has(finding.StoreFailed()) || r.Counts()[report.Placed] != 1 || r.Counts()[report.HeldBack] != 5 {
		t.Errorf("%v: %v", r.Counts(), r.Findings)
	}
}

func TestSearchIsBoundedInARoundAndContinues(t *testing.T) {
	w := newRefusing(t, 1)
	for i := range 60 {
		w.bring(fmt.Sprintf("bad-%02d", i), "worker-0", "AKIA")
		w.bring(fmt.Sprintf("good-%02d", i), "worker-0", "")
	}
	rounds := 0
	for {
		r := w.round()
		if got := w.server.count(); got > maxTrials+2 {
			t.Fatalf("%d pushes in a round", got)
		}
		if r.Has(finding.StoreFailed()) {
			t.Fatalf("found %v", r.Findings)
		}
		if rounds++; r.Counts()[report.HeldBack] == 60 {
			break
		}
		if r.Due != searchPause || rounds > 20 {
			t.Fatalf("after %d rounds: %v, due in %s", rounds, r.Counts(), r.Due)
		}
	}
	if counts := w.round().Counts(); counts[report.Unchanged] != 60 || counts[report.HeldBack] != 60 {
		t.Errorf("%v", counts)
	}
}

func TestServerThatNamesTheFileNeedsNoSearch(t *testing.T) {
	w := newRefusing(t, 1)
	w.server.names = true
	for i := range 40 {
		w.bring(fmt.Sprintf("work-%02d", i), "worker-0", "")
	}
	w.bring("bad-1", "worker-0", "AKIA")
	w.bring("bad-2", "worker-0", "AKIA")
	r := w.round()
	wantStates(t, r, report.Placed, map[string]report.State{"bad-1": report.HeldBack, "bad-2": report.HeldBack})
	if got := w.server.count(); got != 2 {
		t.Errorf("%d pushes", got)
	}
	for _, f := range findingsOf(r, finding.PlacementRefused()) {
		if f.Fix != "Ask." {
			t.Errorf("the fix is %q", f.Fix)
		}
	}
}

func TestRefusedRemovalKeepsItsFilesAndDelaysNothing(t *testing.T) {
	w := newRefusing(t, 1)
	for _, name := range []string{"a", "b", "c"} {
		w.bring(name, "worker-0", "")
	}
	w.round()
	w.remove("a")
	w.remove("b")
	w.bring("c", "worker-0", "changed")
	w.bring("d", "worker-0", "")
	w.server.refuses = func(changes statestore.ChangeSet) string {
		for _, path := range changes.Remove {
			if strings.Contains(path.String(), "/a/") {
				return "a stays"
			}
		}
		return ""
	}
	r := w.round()
	wantStates(t, r, report.Placed, map[string]report.State{"a": report.Kept, "b": report.Removed})
	if told := findingsOf(r, finding.PlacementRefused()); len(told) != 1 || !strings.Contains(told[0].Message, "refuses the removal of its files on worker-0: a stays") {
		t.Errorf("found %v", r.Findings)
	}
	w.server.count()
	if r = w.round(); w.server.count() > 0 || len(findingsOf(r, finding.PlacementRefused())) != 1 {
		t.Errorf("found %v", r.Findings)
	}
}

func TestRefusedOwnerOfASharedObjectKeepsTheStoredObject(t *testing.T) {
	w := newRefusing(t, 1)
	w.policy.OnConflict = dedupe.Share
	shared := func(name, data string) {
		w.putFiles(name, map[string]string{"shared.yaml": testkit.ConfigMaps("shared"), "own.yaml": testkit.ConfigMaps(name) + "data: {text: \"" + data + "\"}\n"})
	}
	shared("a", "first")
	shared("b", "first")
	w.round()
	before := w.paths()
	shared("a", "AKIA")
	shared("b", "second")
	shared("c", "first")
	r := w.round()
	wantStates(t, r, report.Placed, map[string]report.State{"a": report.HeldBack})
	count := 0
	for _, path := range w.paths() {
		if strings.HasSuffix(path, "shared.yaml") {
			count++
		}
	}
	if count != 1 {
		t.Errorf("the shared object is there %d times: %v, before %v", count, w.paths(), before)
	}
	w.remove("a")
	wantStates(t, w.round(), report.Unchanged, map[string]report.State{"a": report.Removed, "b": report.Placed, "c": report.Placed})
}

func TestWriteThatIsRefusedLater(t *testing.T) {
	w := newRefusing(t, 2)
	late := &late{refusingStore: w.server}
	w.store = late
	for i := range 30 {
		w.bring(fmt.Sprintf("work-%02d", i), fmt.Sprint("worker-", i%2), "")
	}
	w.bring("work-07", "worker-1", "AKIA")
	rounds := 0
	var r report.Report
	for rounds = range 40 {
		r = w.round()
		if w.server.count() > 1 {
			t.Fatal("two pushes at once")
		}
		if rounds == 3 { // a Work that is added meanwhile is not delayed
			w.bring("other", "worker-0", "")
		}
		if r.Counts()[report.Unchanged] == 30 {
			break
		}
	}
	wantStates(t, r, report.Unchanged, map[string]report.State{"work-07": report.HeldBack})
	if rounds > 14 {
		t.Errorf("it takes %d rounds", rounds)
	}
	for range 3 {
		if w.round(); w.server.count() > 0 {
			t.Error("pushed again")
		}
	}
}

// late is a store that returns ErrPending for a write, and the error of the write at the next read.
type late struct {
	*refusingStore
	err error
}

func (l *late) Read(ctx context.Context) (statestore.State, error) {
	state, err := l.refusingStore.Read(ctx)
	state.Refused = l.err
	return state, err
}

func (l *late) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if changes.Empty() {
		return changes.Base, nil
	}
	_, l.err = l.refusingStore.Apply(ctx, changes)
	return "", statestore.ErrPending
}

func TestFilesThatAreRefusedTogetherAreWrittenOneByOne(t *testing.T) {
	w := newRefusing(t, 1)
	w.server.refuses = func(changes statestore.ChangeSet) string {
		news := 0
		for _, file := range changes.Write {
			sum, there := w.state().Files.Digest(file.Path)
			if !there || sum != w.state().Contents.Digest(file.Content) {
				news++
			}
		}
		if news > 10 {
			return "the push is too large"
		}
		return ""
	}
	for i := range 16 {
		w.bring(fmt.Sprintf("work-%02d", i), "worker-0", "")
	}
	r := w.round()
	wantStates(t, r, report.Placed, nil)
	if len(r.Findings) > 0 {
		t.Errorf("found %v", r.Findings)
	}
}

func TestSearchOverUnitsThatDependOnEachOtherEnds(t *testing.T) {
	two := []suspect{{unit: unit{destination: "d", placedGroup: placedGroup{id: "1"}}}, {unit: unit{destination: "d", placedGroup: placedGroup{id: "2"}}}}
	s := search{}
	s.add(two)
	for n := 0; ; n++ {
		if s.isOver() || n > 10 {
			t.Fatalf("nothing is found: %+v", s)
		}
		if found := s.empty(); len(found) == 2 {
			break
		}
	}
	if !s.isOver() {
		t.Errorf("it goes on: %+v", s)
	}
}
