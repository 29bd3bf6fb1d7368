package status

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

// fixture is a report and a cluster to which planned writes are applied.
type fixture struct {
	t       *testing.T
	said    report.Report
	now     Objects
	mode    Mode
	selects Selects
}

var noon = metav1.NewTime(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))

func newFixture(t *testing.T) *fixture {
	work := testkit.Request("a")
	work.UID, work.Generation, work.ResourceVersion = "uid-a", 3, "1"
	s := &fixture{t: t, now: Objects{
		Works: []*kratix.Work{work}, Destinations: []*kratix.Destination{testkit.Destination("worker-1")},
		StateStores: kratix.StateStores{GitStateStores: []*kratix.GitStateStore{testkit.GitStore("default", "")}},
	}}
	s.placed(report.Placed)
	return s
}

func (s *fixture) placed(state report.State) *report.Placement {
	work := s.now.Works[0]
	s.said = report.Report{
		Placements: []report.Placement{{
			Work: "default/a", Directory: ".", Destination: "worker-1", State: state, Reason: "because",
			Object: testkit.Placement(work, "worker-1"),
		}},
		Stores: []report.Store{{Name: "GitStateStore default", Revision: "c0ffee", Covered: []string{"worker-1"}}},
	}
	return &s.said.Placements[0]
}

func (s *fixture) plan() (steps, events []string) {
	s.t.Helper()
	for _, list := range Plan(s.said, s.now, s.mode, s.selects, noon) {
		for _, change := range list {
			for _, step := range change.Steps {
				steps = append(steps, string(step.Verb)+" "+kratix.Describe(change.Object))
				s.do(change.Object, step)
			}
			for _, event := range change.Events {
				events = append(events, event.Type+" "+event.Reason+": "+event.Message)
			}
		}
	}
	return steps, events
}

func (s *fixture) do(object kratix.Object, step Step) {
	s.t.Helper()
	switch step.Verb {
	case Create:
		made, _ := object.(*kratix.WorkPlacement)
		s.now.WorkPlacements = append(s.now.WorkPlacements, made)
	case Delete:
		s.now.WorkPlacements = slices.DeleteFunc(s.now.WorkPlacements, func(p *kratix.WorkPlacement) bool { return kratix.KeyOf(p) == kratix.KeyOf(object) })
	default:
		text, err := json.Marshal(step.Patch)
		if err == nil {
			err = json.Unmarshal(text, object) // a merge patch that is complete enough for these tests
		}
		if err != nil {
			s.t.Fatal(err)
		}
		// The API server removes a deleted object when it has no finalizers left.
		s.now.WorkPlacements = slices.DeleteFunc(s.now.WorkPlacements, func(p *kratix.WorkPlacement) bool {
			return !p.DeletionTimestamp.IsZero() && len(p.Finalizers) == 0
		})
	}
}

func (s *fixture) expect(want ...string) (events []string) {
	s.t.Helper()
	steps, events := s.plan()
	if !slices.Equal(steps, want) {
		s.t.Errorf("steps %q, want %q", steps, want)
	}
	if again, _ := s.plan(); len(again) > 0 {
		s.t.Errorf("and again %q", again)
	}
	return events
}

func (s *fixture) settle() {
	s.t.Helper()
	s.plan()
	s.placed(report.Unchanged)
	s.expect()
}

func (s *fixture) condition(have []metav1.Condition, kind, want string) {
	s.t.Helper()
	got := ""
	if c := meta.FindStatusCondition(have, kind); c != nil {
		got = string(c.Status) + " " + c.Reason
	}
	if got != want {
		s.t.Errorf("%s is %q, want %q", kind, got, want)
	}
}

const placementSteps = "WorkPlacement default/a.worker-1-5058f"

func TestNewPlacementIsThreeWrites(t *testing.T) {
	s := newFixture(t)
	s.settle()
	made := s.now.WorkPlacements[0]
	s.now.WorkPlacements, s.now.Works[0].Status = nil, kratix.WorkStatus{}
	s.placed(report.Placed)
	if events := s.expect("create "+placementSteps, "patch status "+placementSteps, "patch status Work default/a"); len(events) > 0 {
		t.Errorf("events %q, want none: an event is a write too", events)
	}
	for kind, want := range map[string]string{
		"ScheduleSucceeded": "True ScheduledToDestination", "WriteSucceeded": "True WorkloadsWrittenToStateStore",
		"Ready": "True WorkloadsWrittenToTargetDestination", "ConflictFree": "True NoConflict",
	} {
		s.condition(made.Status.Conditions, kind, want)
	}
	work := s.now.Works[0]
	s.condition(work.Status.Conditions, "Ready", "True AllWorkplacementsScheduled")
	if c := meta.FindStatusCondition(work.Status.Conditions, "Ready"); c.ObservedGeneration != 3 || work.Status.WorkPlacements != 1 || work.Status.WorkPlacementsCreated != 1 {
		t.Errorf("status %+v", work.Status)
	}
	if owner := made.OwnerReferences[0]; owner.UID != "uid-a" || owner.Kind != "Work" || owner.APIVersion != kratix.APIVersion || made.Status.VersionID != "c0ffee" {
		t.Errorf("WorkPlacement %+v", made)
	}
}

func TestPendingPlacementIsNotReady(t *testing.T) {
	s := newFixture(t)
	s.placed(report.Pending)
	s.said.Stores = nil
	s.expect()
}

func TestConflictIsReportedWithBothClaimantsAndResolved(t *testing.T) {
	s := newFixture(t)
	s.settle()
	s.placed(report.HeldBack).Written = true
	s.said.Findings = []finding.Finding{{
		Rule: finding.DuplicateObject(), Place: finding.Place{Object: "Work default/a", File: "crd.yaml"}, Message: "X is in worker-1/resources already",
		Related: []finding.Related{{Place: finding.Place{Object: "Work default/b"}, Message: "request default/b of Promise redis"}}, Flux: "may not add",
	}}
	events := s.expect("patch status "+placementSteps, "patch status Work default/a", "patch status Destination worker-1")
	work := s.now.Works[0]
	s.condition(work.Status.Conditions, "ConflictFree", "False DuplicateResources")
	s.condition(work.Status.Conditions, "Ready", "False WorkplacementsFailing")
	s.condition(s.now.WorkPlacements[0].Status.Conditions, "WriteSucceeded", "False WorkloadsFailedWrite")
	s.condition(s.now.Destinations[0].Status.Conditions, "ConflictFree", "False DuplicateResources")
	message := meta.FindStatusCondition(work.Status.Conditions, "ConflictFree").Message
	for _, want := range []string{"X is in", "request default/a of Promise redis", "request default/b of Promise redis"} {
		if !strings.Contains(message, want) {
			t.Errorf("%q is not in %q", want, message)
		}
	}
	if len(events) != 3 || !strings.Contains(events[1], "Warning DuplicateResources: ") || !strings.Contains(events[1], "may not add") {
		t.Errorf("events %q", events)
	}

	s.placed(report.Placed)
	events = s.expect("patch status "+placementSteps, "patch status Work default/a", "patch status Destination worker-1")
	if len(events) != 2 || !strings.HasPrefix(events[0], "Normal NoConflict") {
		t.Errorf("events %q", events)
	}
}

func TestMisplacedPlacementFitsAgain(t *testing.T) {
	s := newFixture(t)
	s.settle()
	p := s.placed(report.Unchanged)
	p.Misplaced, p.Object.Labels[kratix.MisplacedLabel] = true, "true"
	s.expect("patch "+placementSteps, "patch status "+placementSteps, "patch status Work default/a")
	s.condition(s.now.Works[0].Status.Conditions, "Ready", "False Misplaced")
	s.condition(s.now.WorkPlacements[0].Status.Conditions, "ScheduleSucceeded", "False DestinationSelectorMismatch")
	s.placed(report.Unchanged)
	for _, list := range Plan(s.said, s.now, s.mode, s.selects, noon)[:1] {
		labels := list[0].Steps[0].Patch["metadata"].(map[string]any)["labels"].(map[string]any) //nolint:errcheck // a panic fails the test too
		if value, given := labels[kratix.MisplacedLabel]; !given || value != nil {
			t.Errorf("labels %v", labels)
		}
	}
}

func TestWorkPlacementGoesOnlyAfterItsFiles(t *testing.T) {
	tests := map[string]struct {
		change func(*fixture)
		want   []string
	}{
		"its files were removed": {
			change: func(s *fixture) { s.placed(report.Removed) },
			want:   []string{"patch " + placementSteps, "delete " + placementSteps},
		},
		"its Work is gone, and its store failed": {
			change: func(s *fixture) { s.now.Works, s.said = nil, report.Report{} },
		},
		"its Work is gone, and the placement is kept": {
			change: func(s *fixture) { s.now.Works = nil; s.said.Placements[0].State = report.Kept },
		},
		"its Work is gone, and nothing of it is in the store": {
			change: func(s *fixture) { s.now.Works, s.said.Placements = nil, nil },
			want:   []string{"patch " + placementSteps, "delete " + placementSteps},
		},
		"its Work and its Destination are gone": {
			change: func(s *fixture) { s.now.Works, s.now.Destinations, s.said = nil, nil, report.Report{} },
			want:   []string{"patch " + placementSteps, "delete " + placementSteps},
		},
		"only its Destination is gone": {
			change: func(s *fixture) { s.now.Destinations, s.said = nil, report.Report{} },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.settle()
			test.change(s)
			s.expect(test.want...)
		})
	}
}

func TestDeletedDestinationIsReleasedOnlyAfterItsFiles(t *testing.T) {
	s := newFixture(t)
	d := s.now.Destinations[0]
	d.Spec.Cleanup = "all"
	s.settle()
	if !slices.Equal(d.Finalizers, []string{kratix.DestinationFinalizer}) {
		t.Fatalf("finalizers %q", d.Finalizers)
	}
	d.DeletionTimestamp = &noon
	s.said.Stores = nil
	s.placed(report.Failed)
	s.said.Stores = nil
	steps, _ := s.plan()
	if slices.Contains(steps, "patch Destination worker-1") {
		t.Fatalf("it goes before its files: %q", steps)
	}
	s.placed(report.Removed)
	steps, _ = s.plan()
	if slices.Contains(steps, "patch Destination worker-1") {
		t.Fatalf("it goes after a round that saw it when it was not deleted: %q", steps)
	}
	s.said.Emptied = []string{"worker-1"}
	steps, _ = s.plan()
	if !slices.Contains(steps, "patch Destination worker-1") || len(d.Finalizers) > 0 {
		t.Errorf("it stays: %q", steps)
	}
}

func TestWorkPlacementOfARecreatedWorkHasTheNewOwner(t *testing.T) {
	s := newFixture(t)
	s.settle()
	s.now.Works[0].UID = types.UID("another")
	s.placed(report.Unchanged)
	s.expect("patch " + placementSteps)
	if got := s.now.WorkPlacements[0].OwnerReferences[0].UID; got != "another" {
		t.Errorf("owner %s", got)
	}
}

func TestObserveReportsOnlyConflicts(t *testing.T) {
	s := newFixture(t)
	s.mode = Observe
	s.expect()
	s.said.Findings = []finding.Finding{{Rule: finding.DuplicateObject(), Place: finding.Place{Object: "Work default/a"}, Message: "X is there already"}}
	s.expect("patch status Work default/a")
	s.said.Findings = nil
	s.expect("patch status Work default/a")
}

func TestStoreThatFailsIsNotReady(t *testing.T) {
	s := newFixture(t)
	s.settle()
	s.placed(report.Failed)
	s.said.Stores = nil
	s.said.Findings = []finding.Finding{{Rule: finding.StoreFailed(), Place: finding.Place{Object: "GitStateStore default"}, Message: "no route"}}
	s.expect("patch status "+placementSteps, "patch status Work default/a", "patch status Destination worker-1", "patch status GitStateStore default")
	s.condition(s.now.Destinations[0].Status.Conditions, "Ready", "False StateStoreWriteFailed")
	s.condition(s.now.GitStateStores[0].Status.Conditions, "Ready", "False StateStoreError")
	if c := meta.FindStatusCondition(s.now.WorkPlacements[0].Status.Conditions, "WriteSucceeded"); c.Message != "no route" {
		t.Errorf("message %q", c.Message)
	}
}

func TestStoreReportsTheCauseOfItsFailure(t *testing.T) {
	for _, c := range []struct {
		cause                    finding.Cause
		git, bucket, destination string
	}{
		{finding.SecretMissing, "SecretNotFound", "SecretNotFound", "StateStoreNotReady"},
		{finding.Unopened, "ErrorInitialisingWriter", "ErrorInitialisingWriter", "StateStoreNotReady"},
		{finding.Unreadable, "ErrorInitialisingWriter", "ErrorValidatingPermissions", "StateStoreNotReady"},
		{finding.Refused, "ErrorValidatingPermissions", "ErrorValidatingPermissions", "StateStoreNotReady"},
		{finding.Unwritten, "StateStoreError", "StateStoreError", "StateStoreWriteFailed"},
		{"", "StateStoreError", "StateStoreError", "StateStoreWriteFailed"},
	} {
		s := newFixture(t)
		bucket := &kratix.BucketStateStore{}
		bucket.Name = "s3"
		s.now.BucketStateStores = append(s.now.BucketStateStores, bucket)
		s.said = report.Report{}
		for _, store := range []string{"GitStateStore default", "BucketStateStore s3"} {
			s.said.Findings = append(s.said.Findings, finding.Finding{Rule: finding.StoreFailed(), Place: finding.Place{Object: store}, Cause: c.cause, Message: "why"})
		}
		s.plan()
		s.condition(s.now.GitStateStores[0].Status.Conditions, "Ready", "False "+c.git)
		s.condition(s.now.BucketStateStores[0].Status.Conditions, "Ready", "False "+c.bucket)
		s.condition(s.now.Destinations[0].Status.Conditions, "Ready", "False "+c.destination)
	}
}

func TestUnwrittenHeldPlacementHasNoWorkPlacement(t *testing.T) {
	for name, make := range map[string]func(*fixture){
		"it was never there":        func(*fixture) {},
		"it was there already":      (*fixture).settle,
		"it is being deleted again": func(s *fixture) { s.settle(); s.now.WorkPlacements[0].DeletionTimestamp = &noon },
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			make(s)
			s.placed(report.HeldBack)
			s.plan()
			for _, have := range s.now.WorkPlacements {
				if have.DeletionTimestamp.IsZero() || len(have.Finalizers) > 0 {
					t.Errorf("%s is there, with %v", kratix.Describe(have), have.Finalizers)
				}
			}
			s.condition(s.now.Works[0].Status.Conditions, "Ready", "False WorkplacementsFailing")
			s.expect()
		})
	}
}

func TestHeldUpdateKeepsTheWrittenSpec(t *testing.T) {
	s := newFixture(t)
	s.settle()
	before := s.now.WorkPlacements[0].DeepCopy().Spec
	s.now.Works[0].Generation++
	s.placed(report.HeldBack).Written = true
	s.plan()
	if after := s.now.WorkPlacements[0].Spec; !reflect.DeepEqual(before, after) {
		t.Errorf("the spec became %+v", after)
	}
	s.placed(report.Placed)
	s.plan()
	if after := s.now.WorkPlacements[0].Spec; after.Generation != s.now.Works[0].Generation {
		t.Errorf("the spec stayed %+v", after)
	}
}

func TestPlacementKeepsTheRevisionThatItWasWrittenAt(t *testing.T) {
	s := newFixture(t)
	s.settle()
	s.placed(report.Unchanged)
	s.said.Stores[0].Revision = "later"
	s.expect()
}

func TestConflictIsAnEventOnlyWhenItBegins(t *testing.T) {
	s := newFixture(t)
	s.settle()
	for i, want := range []int{3, 0} {
		s.placed(report.HeldBack).Written = true
		s.said.Findings = []finding.Finding{{
			Rule: finding.DuplicateObject(), Place: finding.Place{Object: "Work default/a"}, Message: strings.Repeat("X", i+1) + " is there already",
		}}
		if steps, events := s.plan(); len(events) != want || len(steps) == 0 {
			t.Errorf("time %d: steps %q, events %q", i, steps, events)
		}
	}
}

func TestUnreadableObjectsKeepTheirFinalizers(t *testing.T) {
	t.Run("a WorkPlacement", func(t *testing.T) {
		s := newFixture(t)
		s.settle()
		s.now.WorkPlacements[0].Spec = kratix.WorkPlacementSpec{}
		s.now.Works, s.said.Placements = nil, nil
		s.now.Unreadable = map[string]bool{kratix.Describe(s.now.WorkPlacements[0]): true}
		s.expect()
	})
	t.Run("a Destination keeps its finalizer", func(t *testing.T) {
		s := newFixture(t)
		s.settle()
		s.now.Destinations[0].Finalizers = []string{kratix.DestinationFinalizer}
		s.now.Unreadable = map[string]bool{"Destination worker-1": true}
		s.expect()
	})
	t.Run("an invalid Work is not ready", func(t *testing.T) {
		s := newFixture(t)
		s.said.Placements = nil
		s.said.Findings = []finding.Finding{{Rule: finding.InvalidObject(), Place: finding.Place{Object: "Work default/a"}, Message: "it has no promiseName"}}
		s.expect("patch status Work default/a", "patch status Destination worker-1", "patch status GitStateStore default")
		got := meta.FindStatusCondition(s.now.Works[0].Status.Conditions, kratix.ScheduleSucceededCondition)
		if got == nil || got.Status != metav1.ConditionFalse || !strings.Contains(got.Message, "it has no promiseName") {
			t.Errorf("it says %+v", got)
		}
	})
}

func TestWorkThatCannotBeReadIsLeftAlone(t *testing.T) {
	unread := func(t *testing.T, mode Mode) *fixture {
		s := newFixture(t)
		s.mode = mode
		s.plan()
		s.placed(report.Unchanged)
		s.plan()
		p := s.placed(report.Kept)
		p.Reason = "its Work cannot be read now"
		work := kratix.NewWork()
		work.ObjectMeta = s.now.Works[0].ObjectMeta
		s.now.Works[0] = work
		s.now.Unreadable = map[string]bool{"Work default/a": true}
		s.said.Findings = []finding.Finding{{Rule: finding.UnreadableInput(), Place: finding.Place{Object: "Work default/a"}, Message: "spec cannot be a number"}}
		return s
	}
	for _, mode := range []Mode{Manage, Schedule, Observe} {
		t.Run(mode.String(), func(t *testing.T) {
			if events := unread(t, mode).expect(); len(events) > 0 {
				t.Errorf("events %q", events)
			}
		})
		t.Run(mode.String()+", with a conflict", func(t *testing.T) {
			s := unread(t, mode)
			s.said.Findings = append(s.said.Findings, finding.Finding{Rule: finding.DuplicateObject(), Place: finding.Place{Object: "Work default/a"}})
			if steps, _ := s.plan(); slices.Contains(steps, "patch status Work default/a") {
				t.Errorf("steps %q", steps)
			}
		})
	}
	t.Run("its deletion continues", func(t *testing.T) {
		s := unread(t, Manage)
		s.now.Works[0].Finalizers, s.now.Works[0].DeletionTimestamp = []string{kratix.WorkFinalizer}, &noon
		s.said.Placements[0].State, s.said.Stores = report.Failed, nil
		s.said.Findings = []finding.Finding{{Rule: finding.StoreFailed(), Place: finding.Place{Object: "GitStateStore default"}, Message: "no route"}}
		if steps, _ := s.plan(); slices.ContainsFunc(steps, func(step string) bool { return strings.HasSuffix(step, " Work default/a") }) {
			t.Errorf("steps %q", steps)
		}
		s.now.WorkPlacements, s.said.Placements, s.said.Findings = nil, nil, nil
		if steps, _ := s.plan(); !slices.Contains(steps, "patch Work default/a") {
			t.Errorf("steps %q", steps)
		}
	})
}

func TestUnreadableStoreLosesNoAcknowledgement(t *testing.T) {
	unread := func(s *fixture) {
		s.placed(report.Failed).Unread = true
		s.said.Stores = nil
		s.said.Findings = []finding.Finding{{Rule: finding.StoreFailed(), Place: finding.Place{Object: "GitStateStore default"}, Message: "it has not answered yet"}}
	}
	t.Run("a written placement stays ready", func(t *testing.T) {
		s := newFixture(t)
		s.settle()
		unread(s)
		s.expect("patch status Destination worker-1", "patch status GitStateStore default")
		s.placed(report.Unchanged)
		s.expect("patch status Destination worker-1", "patch status GitStateStore default")
	})
	t.Run("a failed placement is not ready", func(t *testing.T) {
		s := newFixture(t)
		s.settle()
		s.placed(report.Failed)
		s.plan()
		s.condition(s.now.WorkPlacements[0].Status.Conditions, "Ready", "False WorkloadsFailedWrite")
		s.condition(s.now.Works[0].Status.Conditions, "Ready", "False WorkplacementsFailing")
	})
	t.Run("another generation is not ready", func(t *testing.T) {
		s := newFixture(t)
		s.settle()
		s.now.Works[0].Generation++
		unread(s)
		s.plan()
		s.condition(s.now.WorkPlacements[0].Status.Conditions, "Ready", "False WorkloadsFailedWrite")
		s.condition(s.now.Works[0].Status.Conditions, "Ready", "False WorkplacementsFailing")
	})
	t.Run("a placement that was never written is not ready", func(t *testing.T) {
		s := newFixture(t)
		unread(s)
		s.plan()
		s.condition(s.now.WorkPlacements[0].Status.Conditions, "Ready", "False WorkloadsFailedWrite")
		s.condition(s.now.Works[0].Status.Conditions, "Ready", "False WorkplacementsFailing")
	})
}

func TestForeignTextIsEscaped(t *testing.T) {
	p := &planner{}
	message := "refused:\n::error::\x1b[2J\u202e\u009b"
	conditions, _ := p.put(nil, 0, no("Ready", "x", message))
	var change Change
	change.event(warning, "x", message)
	const want = `refused:\n::error::\x1b[2J\u202e\u009b`
	if conditions[0].Message != want || change.Events[0].Message != want {
		t.Errorf("got %q and %q", conditions[0].Message, change.Events[0].Message)
	}
	if _, changed := p.put(conditions, 0, no("Ready", "x", message)); len(changed) > 0 {
		t.Error("the same message is another in the next round")
	}
}
