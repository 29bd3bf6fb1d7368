package reconcile

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

// clusterEnv has an agent that applies all objects of a root or none. The agent refuses ConfigMaps
// whose names begin with "bad".
type clusterEnv struct {
	*agentEnv
	applied []string
	unnamed bool
}

func newClusterEnv(t *testing.T) *clusterEnv {
	env := &clusterEnv{agentEnv: newAgentEnv(t)}
	env.policy.RollBack = true
	return env
}

func (e *clusterEnv) sync() {
	e.t.Helper()
	dir, root := "worker-1/resources", "resources"
	if e.snapshot.Destinations[0].FilepathMode() != kratix.NestedByMetadata {
		dir, root = "worker-1", ""
	}
	var names []string
	for path := range e.state().Files.Below(testkit.Path(dir)) {
		if _, isRecord := layout.RecordBase(path); isRecord {
			continue
		}
		for line := range strings.Lines(e.content(path.String())) {
			if name, isName := strings.CutPrefix(line, "  name: "); isName && !strings.Contains(name, "kratix") {
				names = append(names, strings.TrimSpace(name))
			}
		}
	}
	e.clock = e.clock.Add(time.Second)
	event := agent.Event{Revision: string(e.state().Revision), Outcome: agent.Healthy, Message: "applied", Time: e.clock}
	if at := slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(name, "bad") }); at >= 0 {
		object := agent.Object{Kind: "ConfigMap", Namespace: "default", Name: names[at]}
		event.Outcome, event.Message = agent.ApplyFailed, object.String()+" dry-run failed: denied"
		if !e.unnamed {
			event.Objects = []agent.Object{object}
		}
	} else {
		e.applied = names
	}
	if e.states["worker-1"] == nil {
		e.states["worker-1"] = map[string]agent.State{}
	}
	e.states["worker-1"][root], _ = e.states["worker-1"][root].With(event)
}

func (e *clusterEnv) expectApplied(names ...string) {
	e.t.Helper()
	slices.Sort(e.applied)
	if !slices.Equal(e.applied, names) {
		e.t.Errorf("applied are %q, want %q", e.applied, names)
	}
}

func TestBadChangeIsUndoneForOnePlacementAlone(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		t.Run(mode, func(t *testing.T) {
			env := newClusterEnv(t)
			env.snapshot.Destinations[0].Spec.Filepath.Mode = mode
			put := func(name string, maps ...string) { // in mode none, all files are in one directory
				env.putFiles(name, map[string]string{name + ".yaml": testkit.ConfigMaps(maps...)})
			}
			put("a", "a1")
			put("b", "b1", "b2")
			env.round()
			env.sync()
			env.expectApplied("a1", "b1", "b2")

			put("a", "a2")
			put("b", "b1", "bad")
			put("c", "c1")
			env.round()
			refused := string(env.state().Revision)
			env.sync()
			env.expectApplied("a1", "b1", "b2")
			env.testEnv.expect(env.round(), map[string]report.State{"a": report.Unchanged, "b": report.HeldBack, "c": report.Unchanged}, "KS080")
			env.sync()
			env.expectApplied("a2", "b1", "b2", "c1")

			commits := env.commits()
			for range 2 { // the process restarts before the second round
				result := env.round()
				env.testEnv.expect(result, map[string]report.State{"a": report.Unchanged, "b": report.HeldBack, "c": report.Unchanged}, "KS080")
				if f := result.Findings[0]; f.Place.Object != "Work default/b" || !strings.Contains(f.Message, "revision "+refused+" could not be applied: ConfigMap/default/bad dry-run failed: denied") {
					t.Errorf("it says %s: %s", f.Place, f.Message)
				}
				env.reconciler = &Reconciler{Source: env, Stores: env, Agents: env.reconciler.Agents}
				env.policy.RollBack = false // files stay rolled back without the policy
			}
			if env.commits() != commits {
				t.Errorf("%d commits although nothing has changed", env.commits()-commits)
			}

			put("b", "b3")
			env.testEnv.expect(env.round(), map[string]report.State{"a": report.Unchanged, "b": report.Placed, "c": report.Unchanged})
			env.sync()
			env.expectApplied("a2", "b3", "c1")
		})
	}
}

func TestNewPlacementIsUndoneCompletely(t *testing.T) {
	env := newClusterEnv(t)
	env.put("a", "a1")
	env.round()
	env.sync()
	before := env.paths()
	env.put("b", "bad")
	env.round()
	env.addDestination("worker-2", "worker-2")
	env.sync()
	for range 2 {
		result := env.round()
		env.testEnv.expect(result, map[string]report.State{"a": report.Unchanged, "b": report.HeldBack}, "KS080")
		for _, p := range result.Placements {
			if p.Destination != "worker-1" {
				t.Errorf("%s is on %s", p.Work, p.Destination)
			}
		}
	}
	var left []string
	for _, path := range env.paths() {
		if !slices.Contains(before, path) {
			left = append(left, path)
		}
	}
	if len(left) != 1 || left[0] != env.recordPath("default", "b") {
		t.Errorf("left are %q", left)
	}
	env.remove("b")
	env.round()
	if got := env.paths(); !slices.Equal(got, before) {
		t.Errorf("after the Work is gone, there are %q, want %q", got, before)
	}
}

func TestContentIsTriedAgainOnlyIfAskedFor(t *testing.T) {
	env := newClusterEnv(t)
	env.put("b", "b1")
	env.round()
	env.sync()
	env.put("b", "bad")
	env.round()
	refused := string(env.state().Revision)
	env.sync()
	env.round()
	env.put("b", "b2")
	env.round()
	env.sync()

	env.put("b", "bad") // the same content again
	env.testEnv.expect(env.round(), map[string]report.State{"b": report.HeldBack}, "KS080")
	for range 3 {
		env.put("b", "bad").Annotations = map[string]string{scheduler.RetryAnnotation: refused}
		env.testEnv.expect(env.round(), map[string]report.State{"b": report.Placed})
		again := string(env.state().Revision)
		env.sync()
		env.testEnv.expect(env.round(), map[string]report.State{"b": report.HeldBack}, "KS080")
		env.testEnv.expect(env.round(), map[string]report.State{"b": report.HeldBack}, "KS080")
		refused = again
	}
	env.sync()
	env.expectApplied("b2")
}

func TestRecordListsAFewUndoneContents(t *testing.T) {
	env := newClusterEnv(t)
	env.put("b", "b1")
	env.round()
	env.sync()
	for i := range 2 * layout.MaxRolledBack {
		env.put("b", fmt.Sprint("bad", i))
		env.round()
		env.sync()
		env.round()
		env.sync()
	}
	record, err := layout.ParseRecord([]byte(env.content(env.recordPath("default", "b"))))
	if err != nil || len(record.RolledBack) != layout.MaxRolledBack {
		t.Fatalf("%d undone contents, %v", len(record.RolledBack), err)
	}
	if last := record.RolledBack[layout.MaxRolledBack-1]; !strings.Contains(last.Message, "bad15 ") {
		t.Errorf("the last one is %+v", last)
	}
	env.expectApplied("b1")
}

func TestNothingIsUndoneUnlessItIsCertain(t *testing.T) {
	const object = "ConfigMap/default/bad dry-run failed: denied"
	for name, c := range map[string]struct {
		change func(env *clusterEnv)
		why    string
	}{
		"no object is named":          {func(env *clusterEnv) { env.unnamed = true }, "it is not certain whose object it is; it may be Work default/b, Work default/c"},
		"the policy is to report":     {func(env *clusterEnv) { env.policy.RollBack = false }, ""},
		"another controller wrote it": {func(env *clusterEnv) { env.policy.Owner = "me" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			env := newClusterEnv(t)
			env.put("a", "a1")
			env.put("b", "b1")
			env.round()
			env.sync()
			env.put("b", "bad")
			env.put("c", "c1")
			env.round()
			c.change(env)
			env.sync()
			before := env.commits()
			result := env.round()
			if name != "another controller wrote it" && env.commits() != before {
				t.Error("something was written")
			}
			told := findingsOf(result, finding.NotRolledBack())
			if c.why == "" {
				if len(told) > 0 {
					t.Errorf("it says %s", told[0].Message)
				}
				return
			}
			want := "nothing is rolled back after revision " + string(env.state().Revision) + ": " + object + ": " + c.why
			if len(told) != 1 || told[0].Message != want || told[0].Place.Object != "Destination worker-1" {
				t.Errorf("it says %v, want %s", told, want)
			}
		})
	}
}

func TestUnchangedObjectIsNotUndone(t *testing.T) {
	env := newClusterEnv(t)
	env.put("b", "b1", "b2")
	env.round()
	env.sync()
	env.put("b", "b1", "b2", "b3")
	env.round()
	env.reports(agent.ApplyFailed, "ConfigMap/default/b2 dry-run failed: denied", agent.Object{Kind: "ConfigMap", Namespace: "default", Name: "b2"})
	env.testEnv.expect(env.round(), map[string]report.State{"b": report.Unchanged}, "KS081")
}

func TestUnhealthyObjectIsNotUndone(t *testing.T) {
	env := newClusterEnv(t)
	env.put("b", "b1")
	env.round()
	env.sync()
	env.put("b", "b2")
	env.round()
	env.reports(agent.HealthFailed, "not ready", agent.Object{Kind: "ConfigMap", Namespace: "default", Name: "b2"})
	env.testEnv.expect(env.round(), map[string]report.State{"b": report.Unchanged})
}

func TestUnknownRevisionIsNotUndone(t *testing.T) {
	env := newClusterEnv(t)
	env.put("b", "bad")
	env.round()
	for applied, why := range map[string]string{"": "no revision was applied before", "77": "the last applied revision, 77, is not known"} {
		env.sync()
		state := env.states["worker-1"]["resources"]
		state.Applied.Revision = applied
		env.states["worker-1"]["resources"] = state
		result := env.round()
		env.testEnv.expect(result, map[string]report.State{"b": report.Unchanged}, "KS081")
		if message := result.Findings[0].Message; !strings.HasSuffix(message, why) {
			t.Errorf("it says %s, want %s", message, why)
		}
	}
}

func TestFilesWrittenSinceAreNotUndone(t *testing.T) {
	env := newClusterEnv(t)
	env.put("b", "b1")
	env.round()
	env.sync()
	env.put("b", "bad")
	env.round()
	env.sync()
	env.policy.RollBack = false
	env.put("b", "b2")
	env.round()
	env.policy.RollBack = true
	env.testEnv.expect(env.round(), map[string]report.State{"b": report.Unchanged})
	env.sync()
	env.expectApplied("b2")
}

func TestClusterKeepsApplyingWhateverTenantsWrite(t *testing.T) {
	for seed := range testkit.Seeds(20) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			env := newClusterEnv(t)
			good, wanted := map[string]string{}, map[string]string{}
			for step := range 30 {
				for range 1 + rng.IntN(3) {
					tenant := string(rune('a' + rng.IntN(5)))
					wanted[tenant] = fmt.Sprint(tenant, rng.IntN(3))
					if rng.IntN(3) == 0 && good[tenant] != "" {
						wanted[tenant] = fmt.Sprint("bad", wanted[tenant])
					}
					env.put(tenant, wanted[tenant])
				}
				if rng.IntN(4) == 0 {
					env.reconciler = &Reconciler{Source: env, Stores: env, Agents: env.reconciler.Agents}
				}
				env.round()
				env.sync()
				for range 6 { // at most five tenants have bad content, and each round restores one
					env.round()
					env.sync()
				}
				for tenant, content := range wanted {
					if !strings.HasPrefix(content, "bad") {
						good[tenant] = content
					}
				}
				env.expectApplied(slices.Sorted(maps.Values(good))...)
				if t.Failed() {
					t.Fatalf("in step %d", step)
				}
			}
		})
	}
}

// The refused files would make an object immutable. They were not applied, so other data can still
// be written.
func TestUndoneFilesDoNotCountAsApplied(t *testing.T) {
	env := newClusterEnv(t)
	env.policy.CheckApply = applycheck.Quarantine
	env.snapshot.Destinations[0].Annotations = map[string]string{scheduler.KubernetesVersionAnnotation: "1.36"}
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  namespace: default\n  name: theirs\n"
	env.putFiles("b", map[string]string{"a.yaml": object + "data: {user: x}\n"})
	env.round()
	env.sync()
	before := env.content("worker-1/resources/default/redis/b/5058f/a.yaml")
	env.putFiles("b", map[string]string{"a.yaml": object + "immutable: true\ndata: {password: x}\n"})
	env.testEnv.expect(env.round(), map[string]report.State{"b": report.Placed})
	env.reports(agent.ApplyFailed, "ConfigMap/default/theirs dry-run failed: denied", agent.Object{Kind: "ConfigMap", Namespace: "default", Name: "theirs"})
	env.testEnv.expect(env.round(), map[string]report.State{"b": report.HeldBack}, "KS080")
	if got := env.content("worker-1/resources/default/redis/b/5058f/a.yaml"); got != before {
		t.Errorf("the store has\n%s", got)
	}
	env.putFiles("b", map[string]string{"a.yaml": object + "data: {user: y}\n"})
	env.testEnv.expect(env.round(), map[string]report.State{"b": report.Placed})
}

func TestCorrectionIsComparedWithAppliedFiles(t *testing.T) {
	env := newClusterEnv(t)
	env.policy.CheckApply, env.policy.RollBack = applycheck.Quarantine, false
	env.snapshot.Destinations[0].Annotations = map[string]string{scheduler.KubernetesVersionAnnotation: "1.36"}
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  namespace: default\n  name: theirs\n"
	env.putFiles("b", map[string]string{"a.yaml": object + "immutable: true\ndata: {user: x}\n"})
	env.round()
	env.sync()
	env.putFiles("b", map[string]string{"a.yaml": object + "immutable: true\ndata: {user: x}\n", "b.yaml": strings.ReplaceAll(object, "theirs", "new") + "immutable: true\ndata: {password: x}\n"})
	env.testEnv.expect(env.round(), map[string]report.State{"b": report.Placed})
	env.reports(agent.ApplyFailed, "ConfigMap/default/new dry-run failed: denied", agent.Object{Kind: "ConfigMap", Namespace: "default", Name: "new"})
	env.testEnv.expect(env.round(), map[string]report.State{"b": report.Unchanged})
	env.putFiles("b", map[string]string{"a.yaml": object + "immutable: true\ndata: {user: y}\n", "b.yaml": strings.ReplaceAll(object, "theirs", "new") + "data: {}\n"})
	result := env.round()
	env.testEnv.expect(result, map[string]report.State{"b": report.HeldBack}, "KS107") // only the ConfigMap theirs is in the cluster
	if file := result.Findings[0].Place.File; file != "a.yaml" {
		t.Errorf("it is about %s", file)
	}
	env.putFiles("b", map[string]string{"a.yaml": object + "immutable: true\ndata: {user: x}\n", "b.yaml": strings.ReplaceAll(object, "theirs", "new") + "data: {}\n"})
	env.testEnv.expect(env.round(), map[string]report.State{"b": report.Placed})
}

func TestFewRevisionsAreReadFromHistoryInARound(t *testing.T) {
	const count = 2 * maxLoads
	env := newClusterEnv(t)
	env.snapshot.Destinations = nil
	counting := &countingHistory{Store: memory.New("GitStateStore default")}
	env.store = counting
	env.open = func(kratix.StateStoreReference) statestore.Store { return counting }
	object := func(i int) agent.Object {
		return agent.Object{Kind: "ConfigMap", Namespace: "default", Name: fmt.Sprint("bad", i)}
	}
	var applied, failed []string
	put := func(i int, name string) {
		env.remove(fmt.Sprint("w", i))
		work := testkit.Request(fmt.Sprint("w", i), testkit.WithSelector(map[string]string{"number": strconv.Itoa(i)}), testkit.WithFile("maps.yaml", testkit.ConfigMaps(name)))
		env.snapshot.Works = append(env.snapshot.Works, work)
		env.round()
	}
	for i := range count {
		env.addDestination(fmt.Sprint("worker-", i), fmt.Sprint("worker-", i)).Labels = map[string]string{"number": strconv.Itoa(i)}
		put(i, fmt.Sprint("good", i))
		applied = append(applied, string(env.state().Revision))
		put(i, fmt.Sprint("bad", i))
		failed = append(failed, string(env.state().Revision))
	}
	for i := range count {
		env.states[fmt.Sprint("worker-", i)] = map[string]agent.State{"resources": {
			Applied: agent.Mark{Revision: applied[i]},
			Failure: &agent.Failure{Revision: failed[i], Outcome: agent.ApplyFailed, Objects: []agent.Object{object(i)}, Message: "denied"},
		}}
	}
	env.reconciler = &Reconciler{Source: env, Stores: env, Agents: env.reconciler.Agents} // after a restart
	undone := 0
	for range count {
		counting.reads = 0
		result := env.round()
		if counting.reads > maxLoads {
			t.Fatalf("%d revisions were read in a round", counting.reads)
		}
		if undone = len(findingsOf(result, finding.RolledBack())); undone == count {
			break
		}
	}
	if undone != count {
		t.Errorf("%d of %d placements were rolled back", undone, count)
	}
	for range count {
		counting.reads = 0
		env.round()
	}
	if counting.reads > 0 {
		t.Errorf("%d revisions were read in rounds in which nothing changed", counting.reads)
	}
}

type countingHistory struct {
	*memory.Store
	reads int
}

func (c *countingHistory) At(ctx context.Context, revision statestore.Revision) (statestore.State, error) {
	c.reads++
	return c.Store.At(ctx, revision)
}
