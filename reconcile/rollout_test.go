package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// rolloutEnv has a Rollout for dependencies on three Destinations. The first Destination is the
// canary.
type rolloutEnv struct {
	*agentEnv
	rollout *kratix.Rollout
}

func newRolloutEnv(t *testing.T, mode string) *rolloutEnv {
	env := &rolloutEnv{agentEnv: newAgentEnv(t), rollout: &kratix.Rollout{}}
	env.reconciler.Now = func() time.Time { return env.clock }
	for n := 2; n <= 3; n++ {
		env.addDestination(fmt.Sprintf("worker-%d", n), fmt.Sprintf("worker-%d", n))
	}
	for _, d := range env.snapshot.Destinations {
		d.Spec.Filepath.Mode = mode
	}
	env.snapshot.Destinations[0].Labels = map[string]string{"wave": "canary"}
	env.rollout.Name = "operators"
	env.rollout.Spec.Waves = []kratix.RolloutWave{
		{Name: "canary", Destinations: &metav1.LabelSelector{MatchLabels: map[string]string{"wave": "canary"}}, Gate: "healthy"},
		{Name: "all", Gate: "applied"},
	}
	env.installs("v0")
	env.snapshot.Rollouts = []*kratix.Rollout{env.rollout}
	return env
}

// installs writes a content to all Destinations without a Rollout.
func (e *rolloutEnv) installs(content string) {
	e.t.Helper()
	e.snapshot.Rollouts = nil
	e.wants(content)
	e.round()
	e.has(content, content, content)
}

// wants sets the wanted content of the dependencies.
func (e *rolloutEnv) wants(content string) *kratix.Work {
	work := e.putFiles("redis", map[string]string{"redis.yaml": testkit.ConfigMaps(content), "common.yaml": testkit.ConfigMaps("common")})
	work.Spec.ResourceName = ""
	return work
}

// contents returns the names of the ConfigMaps on a Destination.
func (e *rolloutEnv) contents(destination string) string {
	var names []string
	for path := range e.state().Files.Below(testkit.Path(destination)) {
		if _, isRecord := layout.RecordBase(path); isRecord || strings.Contains(path.String(), "canary") {
			continue
		}
		for line := range strings.Lines(e.content(path.String())) {
			if name, isName := strings.CutPrefix(line, "  name: "); isName && strings.TrimSpace(name) != "common" && !strings.Contains(name, "kratix") {
				names = append(names, strings.TrimSpace(name))
			}
		}
	}
	return strings.Join(names, "+")
}

func (e *rolloutEnv) has(want ...string) {
	e.t.Helper()
	var got []string
	for n := range want {
		got = append(got, e.contents(fmt.Sprintf("worker-%d", n+1)))
	}
	if !slices.Equal(got, want) {
		e.t.Fatalf("the Destinations have %q, want %q", got, want)
	}
}

// says adds a report of a Destination's agent about the current revision.
func (e *rolloutEnv) says(destination string, outcome agent.Outcome) {
	e.clock = e.clock.Add(time.Minute)
	root := agent.Dependencies
	if e.snapshot.Destinations[0].FilepathMode() != kratix.NestedByMetadata {
		root = ""
	}
	states := maps.Clone(e.states[destination])
	if states == nil {
		states = map[string]agent.State{}
	}
	event := agent.Event{Revision: string(e.state().Revision), Outcome: outcome, Message: "image not found", Time: e.clock}
	states[root], _ = states[root].With(event)
	e.states[destination] = states
}

// rounds runs rounds until nothing changes, and checks that another process would change nothing
// then.
func (e *rolloutEnv) rounds() report.Report {
	e.t.Helper()
	var result report.Report
	for range 10 {
		e.clock = e.clock.Add(time.Second)
		if result = e.round(); !result.Changes() {
			commits := e.commits()
			e.restart()
			if again := e.round(); again.Changes() || e.commits() != commits {
				e.t.Fatalf("after a restart: %+v", again.Stores)
			}
			return result
		}
	}
	e.t.Fatal("rounds change something again and again")
	return result
}

func (e *rolloutEnv) restart() {
	e.reconciler = &Reconciler{Source: e, Stores: e, Agents: e.reconciler.Agents, Now: e.reconciler.Now}
}

func (e *rolloutEnv) phase(result report.Report, want string) {
	e.t.Helper()
	if len(result.Rollouts) != 1 || result.Rollouts[0].Phase != want {
		e.t.Fatalf("got %+v, want phase %s", result.Rollouts, want)
	}
}

func inEachMode(t *testing.T, test func(env *rolloutEnv)) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		t.Run(mode, func(t *testing.T) { test(newRolloutEnv(t, mode)) })
	}
}

func TestRolloutReachesWaveAfterWave(t *testing.T) {
	inEachMode(t, func(env *rolloutEnv) {
		env.phase(env.rounds(), "Complete")
		env.wants("v1")
		result := env.rounds()
		env.phase(result, "Progressing")
		env.has("v1", "v0", "v0")
		if p := result.Placements[1]; p.State != report.Kept || p.Reason != "wave all: it waits for wave canary" {
			env.t.Errorf("worker-2 is %s: %s", p.State, p.Reason)
		}
		env.says("worker-1", agent.Applied)
		env.rounds()
		env.has("v1", "v0", "v0")
		env.says("worker-1", agent.Healthy)
		env.rounds()
		env.has("v1", "v1", "v1")
		env.says("worker-2", agent.Applied)
		env.phase(env.rounds(), "Progressing")
		env.says("worker-3", agent.Applied)
		env.phase(env.rounds(), "Complete")
	})
}

func TestFailureKeepsOtherWavesAsTheyAre(t *testing.T) {
	inEachMode(t, func(env *rolloutEnv) {
		env.wants("v1")
		env.rounds()
		env.says("worker-1", agent.ApplyFailed)
		result := env.rounds()
		env.phase(result, "Failed")
		env.has("v1", "v0", "v0")
		if got := rules(result); !slices.Equal(got, []string{"KS054"}) || !strings.Contains(result.Findings[0].Message, "worker-1: revision 2: image not found") {
			env.t.Errorf("found %v", result.Findings)
		}
		env.wants("v2")
		env.phase(env.rounds(), "Progressing")
		env.has("v2", "v0", "v0")
		env.says("worker-1", agent.Healthy)
		env.rounds()
		env.has("v2", "v2", "v2")
	})
}

func TestFailureIsRolledBackAndNotTriedAgain(t *testing.T) {
	inEachMode(t, func(env *rolloutEnv) {
		env.rollout.Spec.OnFailure = "rollback"
		work := env.wants("v1")
		env.rounds()
		env.says("worker-1", agent.ApplyFailed)
		result := env.rounds()
		env.phase(result, "RolledBack")
		env.has("v0", "v0", "v0")
		env.says("worker-1", agent.Healthy)
		env.phase(env.rounds(), "RolledBack")
		env.has("v0", "v0", "v0")

		record := env.recordOf("worker-1")
		env.clock = env.clock.Add(time.Hour)
		work = work.DeepCopy()
		work.Annotations = map[string]string{scheduler.RetryAnnotation: record.RolledBack[0].Revision}
		env.replace(work)
		env.rounds()
		env.has("v1", "v0", "v0")
		env.says("worker-1", agent.ApplyFailed)
		env.phase(env.rounds(), "RolledBack")
		env.has("v0", "v0", "v0")

		env.wants("v2")
		env.rounds()
		env.has("v2", "v0", "v0")
	})
}

func (e *rolloutEnv) replace(work *kratix.Work) {
	e.remove(work.Name)
	e.snapshot.Works = append(e.snapshot.Works, work)
}

func (e *rolloutEnv) recordOf(destination string) layout.Record {
	e.t.Helper()
	for path := range e.state().Files.Below(testkit.Path(destination)) {
		if _, is := layout.RecordBase(path); !is {
			continue
		}
		if record, err := layout.ParseRecord([]byte(e.content(path.String()))); err == nil && record.Placement != nil && record.Placement.Work().Name == "redis" {
			return record
		}
	}
	e.t.Fatalf("%s has no record", destination)
	return layout.Record{}
}

func TestLastWaveIsRolledBackFirst(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	env.rollout.Spec.OnFailure = "rollback"
	env.wants("v1")
	env.rounds()
	env.says("worker-1", agent.Healthy)
	env.rounds()
	env.has("v1", "v1", "v1")
	env.says("worker-2", agent.Applied)
	env.says("worker-3", agent.BuildFailed)
	env.round()
	env.has("v1", "v0", "v0")
	env.round()
	env.has("v0", "v0", "v0")
	env.phase(env.rounds(), "RolledBack")
}

func TestAbortedRolloutIsRolledBack(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	env.wants("v1")
	result := env.rounds()
	env.rollout = env.rollout.DeepCopy()
	env.rollout.Annotations = map[string]string{kratix.AbortAnnotation: result.Rollouts[0].Revision}
	env.snapshot.Rollouts = []*kratix.Rollout{env.rollout}
	env.phase(env.rounds(), "RolledBack")
	env.has("v0", "v0", "v0")
}

func TestDestinationThatJoinsGetsTheStableContent(t *testing.T) {
	inEachMode(t, func(env *rolloutEnv) {
		env.rollout.Spec.NewDestinations = "stable"
		env.wants("v1")
		env.rounds()
		env.addDestination("worker-4", "worker-4").Spec.Filepath.Mode = env.snapshot.Destinations[0].Spec.Filepath.Mode
		env.rounds()
		env.has("v1", "v0", "v0", "v0")
		env.says("worker-1", agent.Healthy)
		env.rounds()
		env.has("v1", "v1", "v1", "v0")
		env.says("worker-2", agent.Applied)
		env.says("worker-3", agent.Applied)
		env.rounds()
		env.has("v1", "v1", "v1", "v1")
	})
}

func TestDestinationThatJoinsGetsTheLatestContentLast(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	env.wants("v1")
	env.rounds()
	env.addDestination("worker-4", "worker-4").Labels = map[string]string{"wave": "canary"}
	env.rounds()
	env.has("v1", "v0", "v0", "")
	env.says("worker-1", agent.Healthy)
	env.rounds()
	env.says("worker-2", agent.Applied)
	env.says("worker-3", agent.Applied)
	env.rounds()
	env.has("v1", "v1", "v1", "v1")
}

func TestFirstInstallationIsInWaves(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	env.policy.Allow = AllowAll()
	env.remove("redis")
	env.round()
	env.round()
	env.has("", "", "")
	env.wants("v1")
	env.rounds()
	env.has("v1", "", "")
	env.says("worker-1", agent.Healthy)
	env.rounds()
	env.has("v1", "v1", "v1")
}

func TestDependenciesLeaveInReverseOrderOfWavesAfterRequests(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	env.policy.Allow = AllowAll()
	env.put("a", "x")
	env.rounds()
	env.remove("redis")
	result := env.round()
	env.has("v0", "v0", "v0+x")
	if got := result.Placements[1]; got.State != report.Kept || got.Reason != "requests of its Promise are still placed" {
		t.Errorf("worker-1 is %s: %s", got.State, got.Reason)
	}
	env.remove("a")
	env.round()
	env.has("v0", "v0", "v0")
	env.round()
	env.has("v0", "", "")
	env.round()
	env.has("", "", "")
}

func TestInvalidRolloutHoldsOnlyWhatItSelects(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	env.rollout.Spec.Waves[1].Gate = "ready"
	env.wants("v1")
	env.put("a", "x")
	result := env.round()
	env.has("v0", "v0", "v0+x")
	if got := rules(result); !slices.Equal(got, []string{"KS024"}) || !strings.Contains(result.Findings[0].Message, `spec.waves[1]: gate: "ready" is not known; use written or applied or healthy; what it selects stays as it is`) {
		t.Errorf("found %v", result.Findings)
	}
}

func TestUnreadableRolloutHoldsWhatItHasWritten(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	env.wants("v1")
	env.rounds()
	env.snapshot.Rollouts, env.snapshot.RejectedRollouts = nil, []string{"operators"}
	env.wants("v2")
	env.round()
	if got := env.contents("worker-1"); got != "v1" {
		t.Errorf("worker-1 has %s", got)
	}
}

func TestWithoutRolloutEverythingChangesAtOnce(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	env.wants("v1")
	env.rounds()
	env.has("v1", "v0", "v0")
	env.snapshot.Rollouts = nil
	env.rounds()
	env.has("v1", "v1", "v1")
	env.wants("v2")
	env.rounds()
	if record := env.recordOf("worker-1"); record.Rollout != nil {
		t.Errorf("the record says %+v", record.Rollout)
	}
}

func TestSecondRolloutOfAWorkIsReported(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	other := env.rollout.DeepCopy()
	other.Name = "second"
	env.snapshot.Rollouts = append(env.snapshot.Rollouts, other)
	if got := rules(env.round()); !slices.Equal(got, []string{"KS055"}) {
		t.Errorf("found %v", got)
	}
}

func TestRequestsAreRolledOutByTheSameRules(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	env.rollout.Spec.Works.Type = "requests"
	labels := []map[string]string{{"wave": "canary"}, {"n": "2"}}
	env.snapshot.Destinations[1].Labels = labels[1]
	put := func(version string) {
		for i, name := range []string{"a", "b"} {
			env.remove(name)
			env.snapshot.Works = append(env.snapshot.Works, testkit.Request(name, testkit.WithSelector(labels[i]), testkit.WithConfigMaps(name+version)))
		}
	}
	put("1")
	env.rounds()
	env.has("v0+a1", "v0+b1", "v0")
	put("2")
	env.rounds()
	env.has("v0+a2", "v0+b1", "v0")
}

func TestForgedTimesInRecordsDoNotCount(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	env.wants("v1")
	env.rounds()
	for path := range env.state().Files.Below(testkit.Path("worker-1/.kratix")) {
		content := env.content(path.String())
		forged := strings.ReplaceAll(content, "run: \"2026-", "run: \"9999-")
		if forged != content {
			env.write(map[string]string{path.String(): forged})
		}
	}
	env.rounds()
	env.has("v1", "v1", "v1") // it counts as installed without a rollout
	env.wants("v2")
	env.rounds()
	env.has("v2", "v1", "v1")
}

// wantsGroups sets the dependencies to one group with a ConfigMap for each directory.
func (e *rolloutEnv) wantsGroups(version string, directories ...string) {
	e.remove("redis")
	work := testkit.Request("redis")
	work.Spec.ResourceName = ""
	for _, directory := range directories {
		group := testkit.Group(directory)
		group.Workloads = []kratix.Workload{testkit.File("maps.yaml", testkit.ConfigMaps(directory+version))}
		work.Spec.WorkloadGroups = append(work.Spec.WorkloadGroups, group)
	}
	e.snapshot.Works = append(e.snapshot.Works, work)
}

func TestInterruptedWriteOfGroupsIsEnded(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	env.policy.Allow = AllowAll()
	env.wantsGroups("1", "a", "b")
	env.rounds()
	if got := env.contents("worker-1"); got != "a1+b1" && got != "b1+a1" {
		t.Fatalf("worker-1 has %s", got)
	}
	env.rollout.Spec.Paused = true
	var lost []string
	for path := range env.state().Files.Below(testkit.Path("worker-1")) {
		if text := env.content(path.String()); strings.Contains(text, "name: b1\n") || strings.Contains(text, "id: "+kratix.GroupID("b")) {
			lost = append(lost, path.String())
		}
	}
	env.delete(lost...)
	env.rounds()
	if got := env.contents("worker-1"); len(lost) != 2 || got != "a1+b1" && got != "b1+a1" {
		t.Errorf("without %q, worker-1 has %s", lost, got)
	}
	for path := range env.state().Files.Below(testkit.Path("worker-1/.kratix")) {
		if record, err := layout.ParseRecord([]byte(env.content(path.String()))); err == nil && record.Placement != nil && record.Rollout == nil {
			t.Errorf("%s has no mark", path)
		}
	}
	if got := env.contents("worker-2"); strings.Contains(got, "1") {
		t.Errorf("worker-2 has %s", got)
	}
}

func TestGroupsOfAWorkChangeTogether(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	env.policy.Allow = AllowAll()
	env.snapshot.Rollouts = nil
	env.wantsGroups("0", "a", "b")
	env.round()
	env.snapshot.Rollouts = []*kratix.Rollout{env.rollout}
	env.wantsGroups("1", "a", "c") // a changes, b leaves and c joins
	env.rounds()
	for _, destination := range []string{"worker-1", "worker-2", "worker-3"} {
		got := strings.Split(env.contents(destination), "+")
		slices.Sort(got)
		want := []string{"a0", "b0"}
		if destination == "worker-1" {
			want = []string{"a1", "c1"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", destination, got, want)
		}
	}
}

func TestLargeRolloutIsWrittenWithItsMarks(t *testing.T) {
	env := newRolloutEnv(t, kratix.NestedByMetadata)
	env.rollout.Spec.Waves = env.rollout.Spec.Waves[:1]
	env.rollout.Spec.Waves[0] = kratix.RolloutWave{Name: "all"}
	env.reconciler.cache.outcomes.mayHold = 1
	env.wants("v1")
	env.round()
	env.has("v1", "v1", "v1")
	if record := env.recordOf("worker-3"); record.Rollout == nil {
		t.Error("the record has no mark")
	}
}
