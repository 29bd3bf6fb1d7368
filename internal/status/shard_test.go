package status

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func (s *fixture) chooses() *kratix.Work {
	p := s.placed(report.Pending)
	p.Chosen = s.now.Works[0]
	s.said.Stores[0].Covered = nil
	return p.Chosen
}

func (s *fixture) decisions() []string {
	var said []string
	for _, change := range slices.Concat(Plan(s.said, s.now, s.mode, s.selects, noon)...) {
		for _, step := range change.Steps {
			metadata, _ := step.Patch["metadata"].(map[string]any)
			if annotations, ok := metadata["annotations"].(map[string]any); ok {
				text, _ := annotations[kratix.DecisionsAnnotation].(string)
				said = append(said, text)
			}
		}
	}
	return said
}

func selectsNamed(name string) Selects {
	return func(labels map[string]string) bool { return labels["shard"] == name }
}

func (s *fixture) inShards() *fixture {
	s.now.GitStateStores[0].Labels = map[string]string{"shard": "of the store"}
	s.now.Works[0].Labels = map[string]string{"shard": "of the Work"}
	return s
}

func TestDecisionIsRecordedOnlyOnAnUnchangedWork(t *testing.T) {
	s := newFixture(t).inShards()
	was := s.chooses()
	want := []string{`{"` + kratix.GroupID(".") + `":{"destination":"worker-1"}}`}
	if got := s.decisions(); !slices.Equal(got, want) {
		t.Errorf("decided %v, want %v", got, want)
	}
	s.selects = selectsNamed("of the Work")
	if got := s.decisions(); len(got) > 0 {
		t.Errorf("decided %v, for a store that is another's", got)
	}
	s.selects = selectsNamed("of the store")
	if got := s.decisions(); !slices.Equal(got, want) {
		t.Errorf("decided %v where the store is its own, want %v", got, want)
	}
	s.selects = nil
	for name, differs := range map[string]func(*kratix.Work){
		"another has decided":   func(w *kratix.Work) { w.Annotations = map[string]string{kratix.DecisionsAnnotation: `{"x":{}}`} },
		"it is another Work":    func(w *kratix.Work) { w.UID = "uid-b" },
		"it is being deleted":   func(w *kratix.Work) { now := metav1.Now(); w.DeletionTimestamp = &now },
		"another's annotations": func(w *kratix.Work) { w.Annotations = map[string]string{"other": "yes"} },
	} {
		changed := was.DeepCopy()
		differs(changed)
		s.now.Works[0] = changed
		if got := s.decisions(); (len(got) > 0) != (name == "another's annotations") {
			t.Errorf("%s: decided %v", name, got)
		}
	}
}

func TestOnlySelectedObjectsAreWritten(t *testing.T) {
	for shard, want := range map[string]string{
		"of the store": "create WorkPlacement default/a.worker-1-5058f, patch status Destination /worker-1, patch status GitStateStore /default",
		"of the Work":  "patch status Work default/a",
		"of neither":   "",
	} {
		s := newFixture(t).inShards()
		s.selects = selectsNamed(shard)
		steps, _ := s.plan()
		steps = slices.DeleteFunc(steps, func(step string) bool { return step == "patch status WorkPlacement default/a.worker-1-5058f" })
		if got := strings.Join(steps, ", "); strings.ReplaceAll(got, " /", " ") != strings.ReplaceAll(want, " /", " ") {
			t.Errorf("%s: %s, want %s", shard, got, want)
		}
	}
}

func TestDestinationWithoutStateStoreIsOfTheDefaultShard(t *testing.T) {
	for shard, want := range map[string]bool{"": true, "of the store": false} {
		s := newFixture(t).inShards()
		s.now.GitStateStores = nil
		s.selects = selectsNamed(shard)
		steps, _ := s.plan()
		if got := slices.Contains(steps, "patch status Destination worker-1"); got != want {
			t.Errorf("the shard %q writes %v", shard, steps)
		}
	}
}

func TestStoreOfAnotherShardIsNotReportedReady(t *testing.T) {
	s := newFixture(t)
	s.placed(report.Pending)
	s.said.Stores = []report.Store{{Name: "GitStateStore default", Unselected: true}}
	if steps, _ := s.plan(); len(steps) > 0 {
		t.Errorf("it has not written the store, and %v", steps)
	}
}

func TestPromotedDestinationGoesWithItsLiveStore(t *testing.T) {
	for shard, want := range map[string]bool{"live": true, "of the store": false, "": false} {
		s := newFixture(t).inShards()
		live := testkit.GitStore("live", "")
		live.Labels = map[string]string{"shard": "live"}
		s.now.GitStateStores = append(s.now.GitStateStores, live)
		s.now.Live = map[string]kratix.StateStoreReference{"worker-1": {Kind: kratix.GitStateStoreKind, Name: "live"}}
		s.now.Destinations[0].Spec.Cleanup = "all"
		s.mode, s.selects = Promote, selectsNamed(shard)
		if steps, _ := s.plan(); slices.Contains(steps, "patch Destination worker-1") != want {
			t.Errorf("the shard %q writes %v", shard, steps)
		}
	}
}

func TestWorkFailsWhenAnotherShardCannotWriteIt(t *testing.T) {
	s := newFixture(t).inShards()
	s.plan()
	s.selects = selectsNamed("of the Work")
	s.placed(report.Pending)
	s.said.Stores = nil
	if steps, _ := s.plan(); len(steps) > 0 {
		t.Errorf("it is being written, and %v", steps)
	}
	s.now.WorkPlacements[0].Status.Conditions = []metav1.Condition{{Type: kratix.WriteSucceededCondition, Status: metav1.ConditionFalse, Reason: failedWrite}}
	s.plan()
	s.condition(s.now.Works[0].Status.Conditions, "Ready", "False WorkplacementsFailing")
}

func TestWorkKeepsItsFinalizerUntilOtherWorkPlacementsAreGone(t *testing.T) {
	s := newFixture(t).inShards()
	s.plan()
	now := metav1.Now()
	work := s.now.Works[0].DeepCopy()
	work.DeletionTimestamp, work.Finalizers = &now, []string{kratix.WorkFinalizer}
	s.now.Works[0] = work
	s.said = report.Report{Stores: s.said.Stores}
	s.now.Destinations = nil // a missing Destination has no files left
	s.selects = selectsNamed("of the Work")
	if steps, _ := s.plan(); len(steps) > 0 {
		t.Errorf("its WorkPlacement is another's and still there, and %v", steps)
	}
	s.now.WorkPlacements = nil
	if steps, _ := s.plan(); !slices.Equal(steps, []string{"patch Work default/a"}) {
		t.Errorf("steps %v", steps)
	}
}

func TestShardPassesOnEventsThatTheOwnerHasNotReceived(t *testing.T) {
	later := healthy("2")
	later.Latest = later.Latest.Add(time.Minute)
	for name, c := range map[string]struct {
		annotated, received agent.State
		shard, want         string
	}{
		"another shard has a later event":       {healthy("1"), later, "of neither", "2"},
		"another shard has an earlier event":    {later, healthy("1"), "of neither", "2"},
		"another shard has the same event":      {healthy("1"), healthy("other form"), "of neither", "other form"},
		"the owner has not yet read the latest": {later, healthy("1"), "of the store", "2"},
		"the owner has the same event":          {healthy("1"), healthy("other form"), "of the store", "other form"},
	} {
		s := newFixture(t).inShards()
		s.placed(report.Unchanged)
		s.now.Destinations[0].Annotations = map[string]string{kratix.ReportedAnnotation: agent.FormatStates(map[string]agent.State{"resources": c.annotated})}
		s.selects = selectsNamed(c.shard)
		s.delivered(report.Delivery{State: c.received})
		s.plan()
		states, err := agent.ParseStates(s.now.Destinations[0].Annotations[kratix.ReportedAnnotation])
		if err != nil || states["resources"].Healthy.Revision != c.want {
			t.Errorf("%s: the annotation has revision %q, want %q (%v)", name, states["resources"].Healthy.Revision, c.want, err)
		}
		if again, _ := s.plan(); slices.ContainsFunc(again, func(step string) bool { return strings.HasPrefix(step, "patch Destination") }) {
			t.Errorf("%s: %v is written again", name, again)
		}
	}
}

func TestFailureThatIsOverLeavesTheAnnotation(t *testing.T) {
	failed := healthy("1")
	failed.Latest = noon.Add(time.Minute)
	failed.Failure = &agent.Failure{Revision: "1", Outcome: agent.ApplyFailed, Message: "webhook down", Since: failed.Latest}
	ahead := healthy("1")
	ahead.Latest = noon.AddDate(1, 0, 0)
	for name, selects := range map[string]Selects{"alone": nil, "owner": selectsNamed("of the store"), "another shard": selectsNamed("of neither")} {
		for before, annotated := range map[string]agent.State{"failure": failed, "time in the future": ahead} {
			s := newFixture(t).inShards()
			s.placed(report.Unchanged)
			s.now.Destinations[0].Annotations = map[string]string{kratix.ReportedAnnotation: agent.FormatStates(map[string]agent.State{"resources": annotated})}
			s.selects = selects
			over := healthy("1") // the mark is older than the failure
			over.Latest = noon.Add(2 * time.Minute)
			s.delivered(report.Delivery{State: over})
			s.plan()
			states, err := agent.ParseStates(s.now.Destinations[0].Annotations[kratix.ReportedAnnotation])
			if got := states["resources"]; err != nil || got.Failure != nil || got.Latest.After(over.Latest) {
				t.Errorf("%s, %s: the annotation has %+v (%v)", name, before, got, err)
			}
		}
	}
}
