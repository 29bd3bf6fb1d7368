package reconcile

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

type agentEnv struct {
	*testEnv
	states AgentStates
	clock  time.Time
}

func newAgentEnv(t *testing.T) *agentEnv {
	env := &agentEnv{newEnv(t), AgentStates{}, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	env.reconciler.Agents = func() AgentStates { return env.states }
	return env
}

func (e *agentEnv) reports(outcome agent.Outcome, message string, objects ...agent.Object) {
	e.t.Helper()
	if e.states["worker-1"] == nil {
		e.states["worker-1"] = map[string]agent.State{}
	}
	e.clock = e.clock.Add(time.Second)
	event := agent.Event{Revision: string(e.state().Revision), Outcome: outcome, Objects: objects, Message: message, Time: e.clock}
	e.states["worker-1"]["resources"], _ = e.states["worker-1"]["resources"].With(event)
}

func (e *agentEnv) conditions() (conditions, messages map[string]string) {
	e.t.Helper()
	conditions, messages = map[string]string{}, map[string]string{}
	said := e.round()
	for i := range said.Placements {
		p := &said.Placements[i]
		for j := range said.Deliveries {
			d := &said.Deliveries[j]
			if d.Destination != p.Destination || !d.Covers(p) {
				continue
			}
			applied, healthy := d.Applied(p), d.Healthy(p)
			conditions[p.Work] = short(applied) + ", " + short(healthy)
			messages[p.Work] = applied.Message + "\n" + healthy.Message
		}
	}
	return conditions, messages
}

func short(c report.AgentCondition) string {
	if c.Status == report.True {
		return c.Status
	}
	return c.Status + " " + c.Reason
}

func (e *agentEnv) expect(want map[string]string) map[string]string {
	e.t.Helper()
	got, messages := e.conditions()
	for name, conditions := range want {
		if got["default/"+name] != conditions {
			e.t.Errorf("%s: %s, want %s\n%s", name, got["default/"+name], conditions, messages["default/"+name])
		}
	}
	return messages
}

const (
	waiting = "Unknown NotReported, Unknown NotReported"
	fine    = "True, True"
	stopped = "Unknown Blocked, Unknown Blocked"
)

func TestPlacementIsAppliedOnceItsContentIs(t *testing.T) {
	env := newAgentEnv(t)
	env.put("a", "x")
	env.put("b", "y")
	env.round()
	env.expect(map[string]string{"a": "", "b": ""})
	env.reports(agent.Applied, "created")
	env.expect(map[string]string{"a": "True, Unknown NotReported", "b": "True, Unknown NotReported"})
	env.reports(agent.Healthy, "passed")
	env.expect(map[string]string{"a": fine, "b": fine})

	env.put("b", "y", "z")
	env.expect(map[string]string{"a": fine, "b": waiting})
	env.expect(map[string]string{"a": fine, "b": waiting})
	env.put("c", "v")
	env.expect(map[string]string{"a": fine, "b": waiting, "c": waiting})
	env.reports(agent.Healthy, "passed")
	env.expect(map[string]string{"a": fine, "b": fine, "c": fine})
}

func TestOnlyTheOwnerOfAFailingObjectFails(t *testing.T) {
	env := newAgentEnv(t)
	env.put("a", "x")
	env.put("b", "y")
	env.round()
	env.reports(agent.Healthy, "passed")
	env.expect(map[string]string{"a": fine, "b": fine})

	env.put("b", "y", "bad")
	env.put("c", "v")
	env.round()
	env.reports(agent.ApplyFailed, "ConfigMap/default/bad dry-run failed: no", agent.Object{Kind: "ConfigMap", Namespace: "default", Name: "bad"})
	messages := env.expect(map[string]string{"a": fine, "b": "False ApplyFailed, Unknown ApplyFailed", "c": stopped})
	want := "worker-1 is blocked by Work default/b: revision " + string(env.state().Revision) + ": ConfigMap/default/bad dry-run failed: no"
	if messages["default/c"] != want+"\n"+want {
		t.Error(messages["default/c"])
	}
}

func TestFailureOfHealthIsThatOfTheNamedObjects(t *testing.T) {
	env := newAgentEnv(t)
	env.put("a", "x")
	env.put("b", "y")
	env.round()
	env.reports(agent.HealthFailed, "health check failed", agent.Object{Kind: "ConfigMap", Namespace: "default", Name: "y"})
	env.expect(map[string]string{"a": "True, Unknown Blocked", "b": "True, False HealthFailed"})
	env.reports(agent.Healthy, "passed")
	env.expect(map[string]string{"a": fine, "b": fine})
}

func TestNobodyFailsIfTheOwnerIsNotCertain(t *testing.T) {
	env := newAgentEnv(t)
	env.put("a", "x")
	env.round()
	env.reports(agent.Healthy, "passed")
	env.put("b", "y")
	env.put("c", "z")
	env.round()
	for _, objects := range [][]agent.Object{nil, {{Kind: "ConfigMap", Namespace: "default", Name: "unknown"}}, {{Kind: "Secret", Namespace: "default", Name: "y"}}} {
		env.reports(agent.BuildFailed, "it does not build", objects...)
		messages := env.expect(map[string]string{"a": fine, "b": stopped, "c": stopped})
		want := "worker-1 is blocked, perhaps by Work default/b, Work default/c: revision " + string(env.state().Revision) + ": it does not build"
		if messages["default/b"] != want+"\n"+want {
			t.Error(messages["default/b"])
		}
	}
}

func TestOwnerOfAFailingFileFails(t *testing.T) {
	env := newAgentEnv(t)
	env.put("a", "x")
	env.put("b", "y")
	env.round()
	file := fileOf(env, "/b/")
	root := testkit.Path("worker-1/resources")
	below, _ := file.RelativeTo(root)
	const failed = "False BuildFailed, Unknown BuildFailed"
	for name, want := range map[string]string{
		below.String():             failed,
		below.Dir().String():       failed,
		below.Dir().Dir().String(): stopped, // the directory of all groups of the request
		"/" + file.String():        failed,
		"/" + file.Dir().String():  failed,
		"../elsewhere.yaml":        stopped,
		"/elsewhere.yaml":          stopped,
	} {
		t.Log(name)
		failure := &agent.Failure{Revision: string(env.state().Revision), Outcome: agent.BuildFailed, Files: []string{name}}
		env.states["worker-1"] = map[string]agent.State{"resources": {Failure: failure}}
		env.expect(map[string]string{"a": stopped, "b": want})
	}
}

func fileOf(env *agentEnv, text string) tree.Path {
	for path := range env.state().Files.Below(testkit.Path("worker-1/resources")) {
		if strings.Contains(path.String(), text) {
			return path
		}
	}
	env.t.Fatal("no such file:", text)
	return tree.Path{}
}

func TestContentsOfOldRevisionsAreNotKept(t *testing.T) {
	env := newEnv(t)
	env.put("stays", "x")
	env.put("changes", "y")
	env.round()
	past := revisions{hasHistory: true}
	state := env.state()
	past.add(string(state.Revision), &state)
	first := string(state.Revision)
	for i := range 2 * maxContents {
		env.put("changes", "y"+strconv.Itoa(i))
		env.round()
		state = env.state()
		past.add(string(state.Revision), &state)
	}
	kept := 0
	for _, each := range past.states {
		if each.contents != nil {
			kept++
		}
	}
	if kept != maxContents {
		t.Errorf("the contents of %d revisions are kept, want %d", kept, maxContents)
	}
	then := past.find(first)
	for path := range then.files.Below(testkit.Path("worker-1/resources")) {
		content, err := past.content(t.Context(), then, path)
		if isSame := !strings.Contains(path.String(), "/changes/"); isSame != (err == nil) || isSame != (len(content) > 0) {
			t.Errorf("%s: %q, %v", path, content, err)
		}
	}
}

func TestUnknownRevisionSaysNothing(t *testing.T) {
	env := newAgentEnv(t)
	env.put("a", "x")
	env.round()
	env.states["worker-1"] = map[string]agent.State{"resources": {Applied: agent.Mark{Revision: "another"}, Healthy: agent.Mark{Revision: "another"}}}
	env.expect(map[string]string{"a": "Unknown NotRead, Unknown NotRead"})
}

func TestRevisionWithEqualFilesChangesNothing(t *testing.T) {
	env := newAgentEnv(t)
	env.addDestination("worker-2", "worker-2")
	env.put("a", "x")
	env.round()
	env.reports(agent.Healthy, "passed")
	before := env.round().Deliveries
	for range 2 * maxRevisions {
		env.put("b", "y"+string(env.state().Revision)) // b is on the other Destination, which has fewer placements
		env.round()
		env.reports(agent.Healthy, "passed")
		env.round()
	}
	after := env.round().Deliveries
	if len(before) == 0 || len(after) == 0 || before[0].Destination != after[0].Destination {
		t.Fatal(before, after)
	}
	a, b := before[0].Stable, after[0].Stable
	if a.Applied != b.Applied || a.Healthy != b.Healthy || a.Latest != b.Latest {
		t.Errorf("%+v\nbecomes\n%+v", a, b)
	}
}

func TestModesFindTheOwnerOfAnObject(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		t.Run(mode, func(t *testing.T) {
			env := newAgentEnv(t)
			env.snapshot.Destinations[0].Spec.Filepath.Mode = mode
			env.putFiles("a", map[string]string{"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"})
			env.putFiles("b", map[string]string{"b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\n"})
			env.round()
			root := ""
			if mode == kratix.NestedByMetadata {
				root = "resources"
			}
			failed := &agent.Failure{Revision: string(env.state().Revision), Outcome: agent.ApplyFailed, Objects: []agent.Object{{Kind: "ConfigMap", Namespace: "default", Name: "y"}}}
			env.states["worker-1"] = map[string]agent.State{root: {Failure: failed}}
			env.expect(map[string]string{"a": stopped, "b": "False ApplyFailed, Unknown ApplyFailed"})
		})
	}
}
