package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

func TestJudge(t *testing.T) {
	tests := map[string]struct {
		removals
		allowed Allowance
		want    judgement
	}{
		"nothing":                               {removals{recorded: 10}, Allowance{}, removalsAllowed},
		"a few of few":                          {removals{counted: 5, recorded: 6, works: 1}, Allowance{}, removalsAllowed},
		"more than a few of few":                {removals{counted: 6, recorded: 7, works: 1}, Allowance{}, removalsRefused},
		"the last one":                          {removals{counted: 1, recorded: 1}, Allowance{}, removalsRefused},
		"the last one, allowed":                 {removals{counted: 1, recorded: 1}, AllowUpTo(1), removalsAllowed},
		"all, and no Work is left":              {removals{counted: 10, recorded: 10}, Allowance{}, removalsRefused},
		"all, though there are other Works":     {removals{counted: 120, recorded: 120, works: 7}, Allowance{}, removalsRefused},
		"a fifth of many":                       {removals{counted: 200, recorded: 1000, works: 800}, Allowance{}, removalsAllowed},
		"more than a fifth of many":             {removals{counted: 201, recorded: 1000, works: 799}, Allowance{}, removalsRefused},
		"a fifth in steps":                      {removals{counted: 2, recent: 10, recorded: 50, works: 48}, Allowance{}, removalsAllowed},
		"more than a fifth in steps":            {removals{counted: 3, recent: 10, recorded: 50, works: 47}, Allowance{}, removalsRefused},
		"as many as allowed, with those before": {removals{counted: 3, recent: 10, recorded: 50, works: 47}, AllowUpTo(13), removalsAllowed},
		"more than allowed":                     {removals{counted: 3, recent: 10, recorded: 50, works: 47}, AllowUpTo(12), removalsRefused},
		"a small allowance forbids nothing":     {removals{counted: 3, recorded: 50, works: 47}, AllowUpTo(1), removalsAllowed},
		"all are allowed":                       {removals{counted: 1000, recorded: 1000}, AllowAll(), removalsAllowed},
		"too early":                             {removals{counted: 1, recorded: 50, works: 49, settling: true}, Allowance{}, removalsDelayed},
		"the first of many that go":             {removals{counted: 9, recorded: 45, works: 36, missing: 27}, Allowance{}, removalsDelayed},
		"the first of a few that go":            {removals{counted: 3, recorded: 45, works: 42, missing: 2}, Allowance{}, removalsAllowed},
		"the first of many that may go":         {removals{counted: 9, recorded: 45, works: 36, missing: 27}, AllowAll(), removalsAllowed},
		"too early for what is allowed":         {removals{counted: 1, recorded: 50, works: 49, settling: true}, AllowAll(), removalsDelayed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := judge(test.removals, test.allowed); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestParseAllowance(t *testing.T) {
	for text, want := range map[string]Allowance{"all": AllowAll(), "1": AllowUpTo(1), "120": AllowUpTo(120)} {
		if got, err := ParseAllowance(text); err != nil || got != want || got.String() != text {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "ten", "all of them", "1.5"} {
		if got, err := ParseAllowance(text); !errors.Is(err, errAllowance) || got != (Allowance{}) {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
}

var clockAt = time.Date(2026, 1, 1, 12, 0, 30, 0, time.UTC)

func guarded(t *testing.T, destinations, each int) (*testEnv, *time.Time) {
	t.Helper()
	w, now := newEnv(t), clockAt
	w.snapshot.Destinations = nil
	for d := range destinations {
		name := fmt.Sprint("d", d)
		w.addDestination(name, name).Labels = map[string]string{"name": name}
		for i := range each {
			work := w.put(fmt.Sprintf("w%d-%02d", d, i), fmt.Sprintf("m%d-%02d", d, i))
			work.Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{MatchLabels: map[string]string{"name": name}}}
		}
	}
	w.policy.RemovalWindow = RemovalWindow
	w.reconciler.Now = func() time.Time { return now }
	w.round()
	return w, &now
}

func (w *testEnv) placed() int {
	return len(slices.DeleteFunc(w.paths(), func(path string) bool { return !strings.HasSuffix(path, "/maps.yaml") }))
}

func TestInputWithoutWorksRemovesNothing(t *testing.T) {
	for _, size := range []struct{ destinations, each int }{{1, 1}, {1, 10}, {12, 10}} {
		t.Run(fmt.Sprint(size.destinations, " of ", size.each), func(t *testing.T) {
			w, _ := guarded(t, size.destinations, size.each)
			all := size.destinations * size.each
			before := w.state().Revision
			w.snapshot.Works = nil
			for range 2 {
				result := w.round()
				if got := rules(result); !slices.Equal(got, []string{"KS061"}) || w.placed() != all || w.state().Revision != before {
					t.Fatalf("findings %v, %d placements are left", result.Findings, w.placed())
				}
				message := result.Findings[0].Message
				for _, part := range []string{fmt.Sprintf("%d of %d placements", all, all), "the input has no Work at all", fmt.Sprintf("--allow-removals %d", all)} {
					if !strings.Contains(message, part) {
						t.Errorf("%q lacks %q", message, part)
					}
				}
				for _, p := range result.Placements {
					if p.State != report.Kept {
						t.Errorf("%s is %s", p.Work, p.State)
					}
				}
			}
			w.policy.Allow = AllowUpTo(all)
			if result := w.round(); len(result.Findings) > 0 || w.placed() != 0 {
				t.Errorf("findings %v, %d placements are left", result.Findings, w.placed())
			}
		})
	}
}

func TestMostDestinationsAreNotRemovedAtOnce(t *testing.T) {
	w, _ := guarded(t, 12, 10)
	w.snapshot.Works = slices.DeleteFunc(slices.Clone(w.snapshot.Works), func(work *kratix.Work) bool { return !strings.HasPrefix(work.Name, "w0-") })
	fresh := w.put("fresh", "fresh")
	fresh.Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{MatchLabels: map[string]string{"name": "d1"}}}
	result := w.round()
	if got := rules(result); !slices.Equal(got, []string{"KS061"}) || w.placed() != 121 {
		t.Fatalf("findings %v, %d placements", result.Findings, w.placed())
	}
	if message := result.Findings[0].Message; !strings.Contains(message, "110 of 120 placements") || !strings.Contains(message, "on 11 Destinations") {
		t.Errorf("message %q", message)
	}
	if states(result)["fresh"] != report.Placed {
		t.Error("everything else goes on")
	}
}

func TestRemovalsInStepsStopAtTheLimitOfTheWindow(t *testing.T) {
	for _, step := range []int{1, 10} {
		t.Run(strconv.Itoa(step), func(t *testing.T) {
			w, now := guarded(t, 2, 30)
			refused := 0
			for range 60 / step {
				*now = now.Add(200 * time.Millisecond)
				w.snapshot.Works = slices.Clone(w.snapshot.Works[step:])
				w.reconciler = &Reconciler{Source: w, Stores: w, Now: w.reconciler.Now}
				if result := w.round(); slices.Contains(rules(result), "KS061") {
					refused++
				}
			}
			if left := w.placed(); left != 60-12/step*step || refused == 0 {
				t.Errorf("%d of 60 are left, after %d refusals", left, refused)
			}
		})
	}
}

func TestWindowSlides(t *testing.T) {
	w, now := guarded(t, 1, 20)
	remove := func(n int) []string {
		w.snapshot.Works = slices.Clone(w.snapshot.Works[n:])
		return rules(w.round())
	}
	if got := remove(5); len(got) > 0 || w.placed() != 15 {
		t.Fatalf("findings %v", got)
	}
	*now = now.Add(RemovalWindow)
	if got := remove(1); !slices.Equal(got, []string{"KS061"}) {
		t.Fatalf("findings %v", got)
	}
	*now = now.Add(2 * time.Minute)
	before := w.state().Revision
	if got := remove(0); len(got) > 0 || w.placed() != 14 || w.state().Revision == before {
		t.Fatalf("findings %v, %d are left", got, w.placed())
	}
	const ledger = "d0/.kratix/removals"
	if got := w.content(ledger); got != "2026-01-01T12:12:00Z 1\n" {
		t.Errorf("the ledger is %q", got)
	}
	*now = now.Add(time.Hour)
	before = w.state().Revision
	if w.round(); w.state().Revision != before {
		t.Error("an old ledger is no reason to write")
	}
	w.put("w0-19", "other").Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{MatchLabels: map[string]string{"name": "d0"}}}
	w.round()
	if slices.Contains(w.paths(), ledger) {
		t.Error("it goes with what is written anyway")
	}
}

func TestFreshLedgerOutlivesOtherChanges(t *testing.T) {
	w, now := guarded(t, 1, 20)
	w.snapshot.Works = slices.Clone(w.snapshot.Works[5:])
	w.round()
	for i := range 3 { // the first of these rounds does a full check, and the others use the cache
		*now = now.Add(2 * time.Minute)
		w.put("w0-19", fmt.Sprint("changed", i)).Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{MatchLabels: map[string]string{"name": "d0"}}}
		w.round()
		if got := w.content("d0/.kratix/removals"); got != "2026-01-01T12:00:00Z 5\n" {
			t.Fatalf("the ledger is %q", got)
		}
	}
	if again := w.round(); again.Changes() {
		t.Errorf("a second round changes %+v", again.Stores)
	}
}

func TestGroupThatIsLostCountsLikeAWork(t *testing.T) {
	w, _ := guarded(t, 1, 6)
	for _, work := range w.snapshot.Works {
		work := w.put(work.Name, work.Name)
		work.Spec.WorkloadGroups[0].ID, work.Spec.WorkloadGroups[0].Directory = kratix.GroupID("other"), "other"
	}
	if got := rules(w.round()); !slices.Contains(got, "KS061") {
		t.Errorf("findings %v", got)
	}
}

func TestRemovalWaitsUntilTheInputHasSettled(t *testing.T) {
	w, _ := guarded(t, 1, 5)
	gone := w.snapshot.Works[0].Name
	w.remove(gone)
	w.snapshot.Settling = true
	result := w.round()
	if got := rules(result); !slices.Equal(got, []string{"KS062"}) || states(result)[gone] != report.Kept {
		t.Fatalf("findings %v, states %v", got, states(result))
	}
	w.snapshot.Settling = false
	if result = w.round(); len(result.Findings) > 0 || states(result)[gone] != report.Removed {
		t.Errorf("findings %v, states %v", result.Findings, states(result))
	}
}

func TestDeletionInKubernetesIsEvidence(t *testing.T) {
	w, _ := guarded(t, 1, 20)
	w.snapshot.FromAPI = true
	w.snapshot.Deleted = nil
	for _, work := range w.snapshot.Works[:19] {
		w.snapshot.Deleted = append(w.snapshot.Deleted, kratix.KeyOf(work))
	}
	w.snapshot.Works = slices.Clone(w.snapshot.Works[19:])
	if result := w.round(); len(result.Findings) > 0 || w.placed() != 1 {
		t.Fatalf("findings %v, %d are left", result.Findings, w.placed())
	}
	if slices.Contains(w.paths(), "d0/.kratix/removals") {
		t.Error("what is proven needs no memory")
	}
	w.snapshot.Works, w.snapshot.Deleted = nil, nil
	if result := w.round(); !slices.Equal(rules(result), []string{"KS061"}) || w.placed() != 1 {
		t.Fatalf("an empty list is no evidence: %v", result.Findings)
	}
	w.snapshot.Deleted = []kratix.Key{{Namespace: "default", Name: "w0-19"}}
	if result := w.round(); len(result.Findings) > 0 || w.placed() != 0 {
		t.Errorf("findings %v, %d are left", result.Findings, w.placed())
	}
}

func TestMissingGroupOfAWorkInKubernetesIsEvidence(t *testing.T) {
	w, _ := guarded(t, 1, 10)
	w.snapshot.FromAPI = true
	for _, work := range w.snapshot.Works {
		work := w.put(work.Name, work.Name)
		work.Spec.WorkloadGroups[0].ID, work.Spec.WorkloadGroups[0].Directory = kratix.GroupID("other"), "other"
	}
	slices.SortFunc(w.snapshot.Works, func(a, b *kratix.Work) int { return strings.Compare(a.Name, b.Name) })
	if result := w.round(); len(result.Findings) > 0 {
		t.Errorf("findings %v", result.Findings)
	}
}

func TestMovesAndCleanUpAreNotCounted(t *testing.T) {
	t.Run("a Destination that goes", func(t *testing.T) {
		w, _ := guarded(t, 2, 10)
		gone := w.snapshot.Destinations[0].DeepCopy()
		now := metav1.NewTime(clockAt)
		gone.DeletionTimestamp, gone.Spec.Cleanup = &now, "all"
		w.snapshot.Destinations = []*kratix.Destination{gone, w.snapshot.Destinations[1]}
		result := w.round()
		if slices.Contains(rules(result), "KS061") || w.placed() != 10 {
			t.Errorf("findings %v, %d are left", result.Findings, w.placed())
		}
	})
	t.Run("moves", func(t *testing.T) {
		w, _ := guarded(t, 2, 10)
		w.policy.OnMisplaced = scheduler.Move
		for _, work := range w.snapshot.Works {
			if strings.HasPrefix(work.Name, "w0-") {
				moved := w.put(work.Name, "m"+work.Name[1:])
				moved.Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{MatchLabels: map[string]string{"name": "d1"}}}
			}
		}
		w.round()
		if result := w.round(); len(result.Findings) > 0 || w.placed() != 20 || len(w.snapshot.Works) != 20 {
			t.Errorf("findings %v, %d are left", result.Findings, w.placed())
		}
	})
}

func TestFindingListsReasonsForMissingWorks(t *testing.T) {
	w, _ := guarded(t, 1, 10)
	w.snapshot.Works, w.snapshot.Empty = nil, []string{"works/a.yaml"}
	asked := 0
	w.reconciler.Missing = func(context.Context) []string {
		asked++
		return []string{"12 Works are in sub-directories of works; -R reads them"}
	}
	w.reconciler.Allowed = func(time.Time) (Allowance, error) { return AllowAll(), errors.New("the word has ended") }
	want := "10 of 10 placements have lost their Works or groups; the input has no Work at all; works/a.yaml is empty; " +
		"12 Works are in sub-directories of works; -R reads them; the word has ended; none of them is removed without --allow-removals 10"
	if got := w.round().Findings; len(got) != 1 || got[0].Message != want {
		t.Errorf("got %v", got)
	}
	w.reconciler.Allowed = func(now time.Time) (Allowance, error) {
		if now != clockAt {
			t.Errorf("it is %s", now)
		}
		return AllowUpTo(10), nil
	}
	if result := w.round(); len(result.Findings) > 0 || w.placed() != 0 || asked != 1 {
		t.Errorf("findings %v; the reason was asked for %d times", result.Findings, asked)
	}
}

func TestEmptyFileHoldsRemovals(t *testing.T) {
	w, _ := guarded(t, 1, 10)
	w.snapshot.Incomplete, w.snapshot.Empty = true, []string{"works/a.yaml"}
	w.snapshot.Works = slices.Clone(w.snapshot.Works[2:])
	result := w.round()
	if got := rules(result); !slices.Equal(got, []string{"KS029", "KS062", "KS062"}) || w.placed() != 10 {
		t.Errorf("findings %v, %d are left", result.Findings, w.placed())
	}
	if at := result.Findings[0].Place.File; at != "works/a.yaml" {
		t.Errorf("the finding is of %q", at)
	}
}
