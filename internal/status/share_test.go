package status

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// chooses has the report choose worker-1 for the Work as it is now.
func (s *scene) chooses() *kratix.Work {
	p := s.placed(report.Pending)
	p.Chosen = s.now.Works[0]
	s.said.Stores[0].Covered = nil
	return p.Chosen
}

// decisions are what the plan has Works say.
func (s *scene) decisions() []string {
	var said []string
	for _, change := range slices.Concat(Plan(s.said, s.now, s.mode, s.mine, noon)...) {
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

func TestAWorkSaysWhereItsGroupsGoOnlyWhileItIsAsItWas(t *testing.T) {
	s := newScene(t)
	was := s.chooses()
	want := []string{`{"` + kratix.GroupID(".") + `":{"destination":"worker-1"}}`}
	if got := s.decisions(); !slices.Equal(got, want) {
		t.Errorf("decided %v, want %v", got, want)
	}
	s.mine = func(what string) bool { return what == "Work default/a" }
	if got := s.decisions(); len(got) > 0 {
		t.Errorf("decided %v, for a store that is another's", got)
	}
	s.mine = nil
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

func TestOnlyWhatIsMineIsWritten(t *testing.T) {
	for mine, want := range map[string]string{
		"GitStateStore default": "create WorkPlacement default/a.worker-1-5058f, patch status Destination /worker-1, patch status GitStateStore /default",
		"Work default/a":        "patch status Work default/a",
		"nothing":               "",
	} {
		s := newScene(t)
		s.mine = func(what string) bool {
			return what == mine || mine == "GitStateStore default" && what == s.now.GitStateStores[0].Location().Place
		}
		steps, _ := s.plan()
		steps = slices.DeleteFunc(steps, func(step string) bool { return step == "patch status WorkPlacement default/a.worker-1-5058f" })
		if got := strings.Join(steps, ", "); strings.ReplaceAll(got, " /", " ") != strings.ReplaceAll(want, " /", " ") {
			t.Errorf("%s: %s, want %s", mine, got, want)
		}
	}
}

func TestAWorkFailsWhenAnotherReplicaCannotWriteIt(t *testing.T) {
	s := newScene(t)
	s.plan()
	s.mine = func(what string) bool { return what == "Work default/a" }
	s.placed(report.Pending)
	s.said.Stores = nil
	if steps, _ := s.plan(); len(steps) > 0 {
		t.Errorf("it is being written, and %v", steps)
	}
	s.now.WorkPlacements[0].Status.Conditions = []metav1.Condition{{Type: kratix.WriteSucceededCondition, Status: metav1.ConditionFalse, Reason: failedWrite}}
	s.plan()
	s.condition(s.now.Works[0].Status.Conditions, "Ready", "False WorkplacementsFailing")
}

func TestAWorkIsLetGoOnlyWhenTheWorkPlacementsOfOthersAreGone(t *testing.T) {
	s := newScene(t)
	s.plan()
	now := metav1.Now()
	work := s.now.Works[0].DeepCopy()
	work.DeletionTimestamp, work.Finalizers = &now, []string{kratix.WorkFinalizer}
	s.now.Works[0] = work
	s.said = report.Report{Stores: s.said.Stores}
	s.now.Destinations = nil // of one that is missing nothing can be left
	s.mine = func(what string) bool { return what == "Work default/a" }
	if steps, _ := s.plan(); len(steps) > 0 {
		t.Errorf("its WorkPlacement is another's and still there, and %v", steps)
	}
	s.now.WorkPlacements = nil
	if steps, _ := s.plan(); !slices.Equal(steps, []string{"patch Work default/a"}) {
		t.Errorf("steps %v", steps)
	}
}
