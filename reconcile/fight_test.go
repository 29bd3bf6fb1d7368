package reconcile

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

type fightStep struct {
	after time.Duration
	// ours and theirs are the contents that this process and another process write. Empty means
	// removed.
	ours, theirs      string
	manifest, damages bool
	unconfirmed       bool
}

func repeat(n int, steps ...fightStep) []fightStep {
	var all []fightStep
	for range n {
		all = append(all, steps...)
	}
	return all
}

func TestFight(t *testing.T) {
	ours, removed := fightStep{ours: "a"}, fightStep{after: time.Second, theirs: ""}
	other := fightStep{after: time.Second, theirs: "b"}
	manifest, overwritten := fightStep{ours: "a", manifest: true}, fightStep{after: time.Second, theirs: "b", manifest: true}
	later := func(s fightStep, after time.Duration) fightStep { s.after = after; return s }
	tests := map[string]struct {
		steps []fightStep
		// stops is the number of the step after which this process stops, from 1. It is 0 if the process
		// does not stop.
		stops int
	}{
		"a person reverts a commit once":                      {[]fightStep{ours, removed, ours}, 0},
		"a record is removed twice":                           {repeat(3, ours, removed), 4},
		"a record is overwritten twice":                       {repeat(3, ours, other), 4},
		"a record is removed, then overwritten":               {[]fightStep{ours, removed, ours, other}, 4},
		"what was removed comes back twice":                   {repeat(3, fightStep{ours: ""}, fightStep{after: time.Second, theirs: "a"}), 4},
		"twice, but rarely":                                   {repeat(3, ours, later(removed, 11*time.Minute)), 0},
		"once, and again much later":                          {[]fightStep{ours, removed, later(ours, 20*time.Minute), removed}, 0},
		"an equal process writes the same":                    {repeat(5, ours, fightStep{theirs: "a"}), 0},
		"a record is damaged again and again":                 {repeat(5, ours, fightStep{theirs: "x", damages: true}), 0},
		"a write that never arrived":                          {repeat(5, fightStep{ours: "a", unconfirmed: true}, removed), 0},
		"a manifest is deleted again and again":               {repeat(5, manifest, fightStep{after: time.Second, manifest: true}), 0},
		"a manifest is overwritten with the same three times": {repeat(4, manifest, overwritten), 6},
		"a manifest is edited by hand":                        {repeat(4, manifest, later(overwritten, 2*time.Minute)), 0},
		"a manifest is overwritten with something else each time": {[]fightStep{
			manifest, overwritten, manifest, {theirs: "c", manifest: true}, manifest, {theirs: "d", manifest: true}, manifest, {theirs: "e", manifest: true},
		}, 0},
	}
	path := testkit.Path("d/.kratix/a.yaml")
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var f fight
			now, stored := clockAt, ""
			has := func(text string) content {
				return content{statestore.Digest{byte(len(text)), []byte(text + "\x00")[0]}, text != ""}
			}
			stops := 0
			for i, step := range test.steps {
				now = now.Add(step.after)
				if step.after == 0 && step.theirs == "" {
					f.wrote([]mark{{path: path, content: has(step.ours), record: !step.manifest, at: now, confirmed: !step.unconfirmed}})
					if !step.unconfirmed {
						stored = step.ours
					}
				} else if step.ours != "" {
					f.wrote([]mark{{path: path, content: has(step.ours), record: !step.manifest, at: now, confirmed: true}})
					stored = step.ours
				} else {
					stored = step.theirs
				}
				_, fights := f.see(now, func(tree.Path) content { return has(stored) }, func(tree.Path) bool { return step.damages })
				if fights && stops == 0 {
					stops = i + 1
					break
				}
			}
			if stops != test.stops {
				t.Errorf("it stops after step %d, not %d", stops, test.stops)
			}
		})
	}
}

func TestFightPauseDoublesEachTime(t *testing.T) {
	var f fight
	now := clockAt
	same := func(statestore.Files) bool { return true }
	for i, want := range []time.Duration{10 * time.Minute, 20 * time.Minute, 40 * time.Minute, 80 * time.Minute, 160 * time.Minute, 320 * time.Minute, 640 * time.Minute, 1280 * time.Minute, 24 * time.Hour, 24 * time.Hour} {
		f.stop(now)
		if f.wait(now.Add(want), same) || f.until != now.Add(want) {
			t.Fatalf("rest %d ends after %s, not %s", i, f.until.Sub(now), want)
		}
	}
	f = fight{}
	f.stop(now)
	if !f.wait(now.Add(9*time.Minute), func(statestore.Files) bool { return false }) || !f.wait(now.Add(18*time.Minute), same) || f.wait(now.Add(20*time.Minute), same) {
		t.Error("changed records must restart the pause")
	}
	nothing := func(tree.Path) content { return content{} }
	f.see(now.Add(25*time.Hour), nothing, func(tree.Path) bool { return false })
	if !f.idle() {
		t.Error("a fight that is long over must be forgotten")
	}
}

func TestFightIsBounded(t *testing.T) {
	var f fight
	for i := range 10 * maxMarks {
		path := testkit.Path(fmt.Sprint("d/.kratix/", i))
		f.wrote([]mark{{path: path, record: true, at: clockAt, confirmed: true}})
		f.see(clockAt, func(tree.Path) content { return content{present: true} }, func(tree.Path) bool { return false })
	}
	if len(f.marks) > maxMarks || len(f.undone) > maxMarks {
		t.Errorf("%d marks, %d undone", len(f.marks), len(f.undone))
	}
}

func TestOneOfTwoFightingControllersStops(t *testing.T) {
	stores := map[string]func(t *testing.T) func() statestore.Store{
		"memory": func(*testing.T) func() statestore.Store {
			store := memory.New("GitStateStore default")
			return func() statestore.Store { return store }
		},
		"git": func(t *testing.T) func() statestore.Store {
			t.Helper()
			repository := filepath.Join(t.TempDir(), "store.git")
			if out, err := exec.CommandContext(t.Context(), "git", "init", "-q", "--bare", "-b", "main", repository).CombinedOutput(); err != nil {
				t.Skipf("no git: %v\n%s", err, out)
			}
			return func() statestore.Store {
				store, err := git.Open(git.Config{Name: "GitStateStore default", URL: repository, Now: func() time.Time { return clockAt }})
				if err != nil {
					t.Fatal(err)
				}
				return store
			}
		},
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			opened, now := open(t), clockAt
			controllers := make([]*testEnv, 2)
			for i, name := range []string{"a", "b"} {
				controllers[i] = newEnv(t)
				controllers[i].store = opened()
				controllers[i].reconciler.Now = func() time.Time { return now }
				controllers[i].put(name, name)
				controllers[i].put("common-"+name, "common-"+name)
			}
			stopped, writes := -1, 0
			for range 20 {
				for i, w := range controllers {
					w.policy.Allow = AllowAll() // the deletion guard must not end the fight
					before := w.state().Revision
					result := w.round()
					if w.state().Revision != before {
						writes++
					}
					fights := slices.Contains(rules(result), finding.ControllersFight().ID)
					switch {
					case fights && stopped >= 0 && stopped != i:
						t.Fatal("both have stopped")
					case fights:
						stopped = i
					case stopped == i:
						t.Fatalf("it goes on after %d writes", writes)
					}
				}
				now = now.Add(time.Second)
			}
			if stopped < 0 || writes > 5 {
				t.Fatalf("controller %d has stopped, after %d writes", stopped, writes)
			}
			winner := controllers[1-stopped]
			for _, work := range winner.snapshot.Works {
				if !slices.Contains(winner.paths(), "worker-1/resources/default/redis/"+work.Name+"/5058f/maps.yaml") {
					t.Errorf("%s is not in the store: %v", work.Name, winner.paths())
				}
			}
			if got := len(winner.paths()); got != 5 { // one file is the ledger
				t.Errorf("the store has %v", winner.paths())
			}
			loser := controllers[stopped]
			result := loser.round()
			if states(result)["common-"+loser.snapshot.Works[0].Name] == report.Placed {
				t.Error("what waits is not placed")
			}
			loser.reconciler.ForgetFights()
			before := loser.state().Revision
			if loser.round(); loser.state().Revision == before {
				t.Error("once told to look again it writes")
			}
		})
	}
}

func TestTwoReplicasWithOneInputDoNotFight(t *testing.T) {
	first, second := newEnv(t), newEnv(t)
	second.store = first.store
	now := clockAt
	for i := range 20 {
		for _, w := range []*testEnv{first, second} {
			w.reconciler.Now = func() time.Time { return now }
			w.put("a", fmt.Sprint("m", i/2))
			if i%3 == 0 {
				w.put("b", "b")
			} else {
				w.remove("b")
			}
		}
		for _, w := range []*testEnv{first, second} {
			if result := w.round(); len(result.Findings) > 0 {
				t.Fatalf("round %d: %v", i, result.Findings)
			}
		}
		now = now.Add(RemovalWindow)
	}
}

func TestRevertedCommitIsNotAFight(t *testing.T) {
	w := newEnv(t)
	w.reconciler.Now = func() time.Time { return clockAt }
	w.put("a", "x")
	w.put("b", "y")
	w.round()
	state := w.state()
	var remove []tree.Path
	for path := range state.Files.All() {
		if strings.Contains(path.String(), "-a.") || strings.Contains(path.String(), "/a/") {
			remove = append(remove, path)
		}
	}
	if _, err := w.store.Apply(t.Context(), statestore.ChangeSet{Base: state.Revision, Remove: remove}); err != nil {
		t.Fatal(err)
	}
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Unchanged})
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.Unchanged})
}
