package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

func overBudget(w *testEnv) string {
	var all []string
	for _, f := range findingsOf(w.round(), finding.OverBudget()) {
		all = append(all, f.Place.Object+": "+f.Message+". "+f.Fix)
	}
	return strings.Join(all, "\n")
}

func onServer(w *testEnv) {
	w.snapshot.GitStateStores[0].Spec.URL = "https://git.example.com/state.git"
}

func TestWideDirectoryIsReportedBeforeItIsWritten(t *testing.T) {
	w := newEnv(t)
	onServer(w)
	w.finish = Preview
	files := map[string]string{}
	for i := range maxEntries {
		files[fmt.Sprintf("many/%04d.txt", i)] = ""
	}
	w.putFiles("wide", files)
	if said := overBudget(w); said != "" {
		t.Errorf("at the limit: %s", said)
	}
	files["many/one-more.txt"] = ""
	w.putFiles("wide", files)
	w.snapshot.GitStateStores[0].Spec.Path = "clusters"
	const want = "GitStateStore default: its directory clusters/worker-1/resources/default/redis/wide/5058f/many has at least 3,000 entries; GitHub recommends at most 3,000. Divide them: "
	if said := overBudget(w); !strings.HasPrefix(said, want) {
		t.Errorf("above the limit: %s", said)
	}
	w.snapshot.GitStateStores[0].Spec.URL = "memory"
	if said := overBudget(w); said != "" {
		t.Errorf("on this machine: %s", said)
	}
}

func TestReadsOfAgentsAreAddedUpForEachRepository(t *testing.T) {
	w := newEnv(t)
	onServer(w)
	other := testkit.GitStore("other", "ssh://git@git.example.com/state")
	other.Spec.Branch = "other"
	w.snapshot.GitStateStores = append(w.snapshot.GitStateStores, other)
	stores := map[string]statestore.Store{"default": memory.New("a"), "other": memory.New("b")}
	w.open = func(ref kratix.StateStoreReference) statestore.Store { return stores[ref.Name] }
	w.finish = Preview
	w.snapshot.Destinations = nil
	add := func(n int) {
		for range n {
			i := len(w.snapshot.Destinations)
			d := testkit.Destination(fmt.Sprintf("worker-%04d", i))
			if i%2 == 1 {
				testkit.OnStore("other")(d)
			}
			w.snapshot.Destinations = append(w.snapshot.Destinations, d)
		}
	}
	if add(maxPollers); overBudget(w) != "" {
		t.Errorf("at the limit: %s", overBudget(w))
	}
	add(1234 - maxPollers)
	const want = "GitStateStore default: the agents of at least 1,200 Destinations read the repository git.example.com/state; at one read a minute each, these are 20 reads a second, " +
		"and GitHub recommends at most 15. Divide its Destinations over 2 state stores, each in a repository of its own, or use a BucketStateStore or an OCIStateStore."
	if said := overBudget(w); said != want {
		t.Errorf("above the limit: %s", said)
	}
}

func TestLargeRepositoryIsReported(t *testing.T) {
	content := strings.Repeat("A", 1<<20)
	placement := scheduler.Placement{WorkPlacement: &kratix.WorkPlacement{}}
	placement.Spec.Workloads = []kratix.Workload{{Filepath: "a", Content: content}}
	use := &repositoryUse{name: "git.example.com/state", parts: []scheduler.DestinationPlan{{Placements: slices.Repeat([]scheduler.Placement{placement}, 3000)}, {Placements: slices.Repeat([]scheduler.Placement{placement}, 500)}}}
	found := use.findings()
	if len(found) != 1 || found[0].Message != "the files in the repository git.example.com/state take about 2.6 GiB, packed; GitHub recommends at most 10 GiB with the history of all changes" ||
		!strings.HasPrefix(found[0].Fix, "Divide its Destinations over 2 state stores") {
		t.Errorf("found %v", found)
	}
	use.parts[0].Placements = use.parts[0].Placements[:2900]
	if size := use.size(); size < 2.45*(1<<30) || size > 2.55*(1<<30) {
		t.Errorf("the size is %.0f", size)
	}
	if found := use.findings(); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}

func TestNumbersOfFindingsAreRounded(t *testing.T) {
	for n, want := range map[int]string{0: "0", 99: "99", 101: "100", 3001: "3,000", 3199: "3,100", 1234567: "1,200,000"} {
		if got := round(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
