package status

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func promotionFixture(t *testing.T) *fixture {
	s := newFixture(t)
	s.mode = Promote
	s.now.Live = map[string]kratix.StateStoreReference{"worker-1": {Kind: kratix.GitStateStoreKind, Name: "live"}}
	work := s.now.Works[0]
	work.Spec.WorkloadGroups[0].Workloads = []kratix.Workload{{Filepath: "a.yaml", Content: "one"}}
	made := testkit.Placement(work, "worker-1")
	made.Generation, made.Finalizers = 1, []string{kratix.PlacementFinalizer}
	made.Status = kratix.WorkPlacementStatus{VersionID: "kratixs", Conditions: []metav1.Condition{yes(kratix.ReadyCondition, writtenTarget, "Ready")}}
	s.now.WorkPlacements = []*kratix.WorkPlacement{made}
	live := testkit.GitStore("live", "https://example.com/a.git")
	live.Spec.Branch = "live"
	s.now.GitStateStores = append(s.now.GitStateStores, live)
	s.promoted(report.Placed)
	return s
}

const liveLocation = "example.com/a#live:worker-1"

func (s *fixture) promoted(state report.State) *report.Placement {
	p := s.placed(state)
	s.said.Stores[0].Name = "GitStateStore live"
	s.said.Stores[0].Locations = map[string]string{"worker-1": liveLocation}
	return p
}

func (s *fixture) promotedIs(want string) *metav1.Condition {
	s.t.Helper()
	said := meta.FindStatusCondition(s.now.WorkPlacements[0].Status.Conditions, kratix.PromotedCondition)
	if said == nil {
		s.t.Fatalf("nothing is said, want %s", want)
	}
	if got := string(said.Status) + " " + said.Reason + ": " + said.Message; !strings.HasPrefix(got, want) {
		s.t.Errorf("Promoted is %q, want %q", got, want)
	}
	return said
}

const promotedStep = "patch status WorkPlacement default/a.worker-1-5058f"

func TestPromotedIsOneWriteAndChangesNothingOfKratix(t *testing.T) {
	s := promotionFixture(t)
	s.expect(promotedStep)
	if said := s.promotedIs("True Promoted: written to GitStateStore live (" + liveLocation + ") at c0ffee"); said.ObservedGeneration != 1 {
		t.Errorf("observed is %d, want the WorkPlacement's generation", said.ObservedGeneration)
	}
	made := s.now.WorkPlacements[0]
	if made.Status.VersionID != "kratixs" || len(made.Status.Conditions) != 2 || len(made.Labels) != 4-1 {
		t.Errorf("status %+v, labels %v", made.Status, made.Labels)
	}
	s.promoted(report.Unchanged)
	s.said.Stores[0].Revision = "later"
	s.expect() // the condition keeps the first revision with the placement
	s.now.Live["worker-1"], s.said.Stores[0].Name = kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "other"}, "GitStateStore other"
	s.expect(promotedStep)
	s.promotedIs("True Promoted: written to GitStateStore other (" + liveLocation + ") at later")
}

func TestReportOfAnotherGenerationIsIgnored(t *testing.T) {
	s := promotionFixture(t)
	s.expect(promotedStep)
	have := s.now.WorkPlacements[0]
	have.Generation, have.Spec.Workloads = 2, []kratix.Workload{{Filepath: "a.yaml", Content: "two"}}
	s.promoted(report.Unchanged)
	s.expect()
	if said := s.promotedIs("True Promoted"); said.ObservedGeneration != 1 {
		t.Errorf("observed is %d", said.ObservedGeneration)
	}
	have.Spec.Workloads = s.now.Works[0].Spec.WorkloadGroups[0].Workloads // the WorkPlacement has the same contents in a new generation
	s.expect(promotedStep)
	if said := s.promotedIs("True Promoted: written to GitStateStore live (" + liveLocation + ") at c0ffee"); said.ObservedGeneration != 2 {
		t.Errorf("observed is %d", said.ObservedGeneration)
	}
}

func TestUnpromotedPlacementReportsWhy(t *testing.T) {
	conflict := finding.Finding{
		Rule: finding.DuplicateObject(), Place: finding.Place{Object: "Work default/a", File: "a.yaml"}, Message: "ConfigMap x is there already",
		Related: []finding.Related{{Place: finding.Place{Object: "Work default/b", File: "b.yaml"}, Message: "request default/b"}}, Flux: "no",
	}
	about := func(rule finding.Rule, object string) func(*fixture) {
		return func(s *fixture) {
			s.said.Placements = nil
			s.said.Findings = []finding.Finding{{Rule: rule, Place: finding.Place{Object: object}, Message: "because"}}
		}
	}
	for name, c := range map[string]struct {
		set    func(*fixture)
		want   string
		events int
	}{
		"a conflict": {func(s *fixture) {
			s.promoted(report.HeldBack)
			s.said.Findings = []finding.Finding{conflict}
		}, "False DuplicateResources: ConfigMap x is there already: request default/a of Promise redis brings it in Work default/a, a.yaml, request default/b has it", 1},
		"a server's refusal": {func(s *fixture) { s.promoted(report.HeldBack) }, "False HeldBack: because", 1},
		"a store that fails": {func(s *fixture) {
			s.promoted(report.Failed).Unread = true
			s.said.Findings = []finding.Finding{{Rule: finding.StoreFailed(), Place: finding.Place{Object: "GitStateStore live"}, Message: "no route", Cause: finding.Unreadable}}
			s.said.Stores = nil
		}, "False StateStoreNotReady: no route", 1},
		"no live store":              {about(finding.NotPromoted(), "Destination worker-1"), "False NotPromoted: because. Annotate", 1},
		"an invalid live store":      {about(finding.InvalidLiveStore(), "Destination worker-1"), "False InvalidLiveStore: because", 1},
		"a shared path":              {about(finding.SharedPath(), "Destination worker-1"), "False SharedPath: because", 1},
		"an odd WorkPlacement":       {about(finding.UnusablePlacement(), "WorkPlacement default/a.worker-1-5058f"), "False UnusablePlacement: because", 1},
		"too large a Work":           {about(finding.UndecodableContent(), "Work default/a"), "False UndecodableContent: because", 1},
		"a Destination that is gone": {func(s *fixture) { s.said.Placements, s.now.Destinations = nil, nil }, "False DestinationNotFound: there is no Destination worker-1", 1},
	} {
		s := promotionFixture(t)
		c.set(s)
		_, events := s.plan()
		s.promotedIs(c.want)
		if len(events) < c.events {
			t.Errorf("%s: the events are %q", name, events)
		}
		if again, _ := s.plan(); len(again) > 0 {
			t.Errorf("%s: and again %q", name, again)
		}
	}
}

func TestPromotedStaysTrueWhileTheStoreCannotBeRead(t *testing.T) {
	s := promotionFixture(t)
	s.expect(promotedStep)
	s.promoted(report.Failed).Unread = true
	s.expect()
	s.now.WorkPlacements[0].Generation++
	s.expect(promotedStep)
	s.promotedIs("False StateStoreWriteFailed")
}

func TestPromotionWaitsWhileTheFormerStoreCannotBeRead(t *testing.T) {
	for name, change := range map[string]func(*fixture){
		"another store": func(s *fixture) {
			other := testkit.GitStore("other", "https://example.com/a.git")
			other.Spec.Branch = "live"
			s.now.GitStateStores = append(s.now.GitStateStores, other)
			s.now.Live["worker-1"] = kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "other"}
		},
		"another branch":         func(s *fixture) { s.now.GitStateStores[1].Spec.Branch = "other" },
		"another path":           func(s *fixture) { s.now.GitStateStores[1].Spec.Path = "clusters" },
		"another repository":     func(s *fixture) { s.now.GitStateStores[1].Spec.URL = "https://example.com/b.git" },
		"the Destination's path": func(s *fixture) { s.now.Destinations[0].Spec.Path = "clusters/worker-1" },
		"nothing":                nil,
	} {
		s := promotionFixture(t)
		s.expect(promotedStep)
		if change != nil {
			change(s)
		}
		s.promoted(report.Failed).Unread = true
		s.said.Stores = nil
		live := s.now.Live["worker-1"]
		s.said.Findings = []finding.Finding{{Rule: finding.StoreFailed(), Place: finding.Place{Object: live.String()}, Message: "no route", Cause: finding.Unreadable}}
		s.plan()
		want := "False StateStoreNotReady: no route"
		if change == nil {
			want = "True Promoted"
		}
		t.Log(name)
		s.promotedIs(want)
	}
}

func TestPromotionReportsOnlyExistingConflicts(t *testing.T) {
	s := promotionFixture(t)
	s.promoted(report.HeldBack)
	s.said.Findings = []finding.Finding{{Rule: finding.DuplicateObject(), Place: finding.Place{Object: "Work default/a"}, Message: "twice"}}
	s.expect(promotedStep, "patch status Work default/a", "patch status Destination worker-1")
	s.promoted(report.Placed)
	events := s.expect(promotedStep, "patch status Work default/a", "patch status Destination worker-1")
	if len(events) != 2 {
		t.Errorf("the events are %q", events)
	}
	s.condition(s.now.WorkPlacements[0].Status.Conditions, kratix.ConflictFreeCondition, "True NoConflict")
	s.condition(s.now.Works[0].Status.Conditions, kratix.ConflictFreeCondition, "True NoConflict")
}

func TestLiveFinalizerStaysUntilTheFilesAreGone(t *testing.T) {
	s := promotionFixture(t)
	s.expect(promotedStep)
	d := s.now.Destinations[0]
	d.Finalizers = []string{kratix.DestinationFinalizer}
	s.expect() // the Destination has "cleanup: none"
	d.Spec.Cleanup = "all"
	s.expect("patch Destination worker-1")
	if want := []string{kratix.DestinationFinalizer, kratix.LiveFinalizer}; !slices.Equal(d.Finalizers, want) {
		t.Errorf("finalizers %v, want %v", d.Finalizers, want)
	}
	d.DeletionTimestamp = &noon
	s.promoted(report.Failed) // the files could not be removed
	s.said.Stores = nil
	s.plan()
	s.promoted(report.Removed)
	s.expect() // the round read the Destination before it was deleted
	s.said.Emptied = []string{"worker-1"}
	s.expect("patch Destination worker-1")
	if want := []string{kratix.DestinationFinalizer}; !slices.Equal(d.Finalizers, want) {
		t.Errorf("finalizers %v, want %v", d.Finalizers, want)
	}

	for rule, want := range map[finding.Rule]bool{finding.NotPromoted(): false, finding.InvalidLiveStore(): true} {
		d.Finalizers, s.now.Live, s.now.WorkPlacements = []string{kratix.LiveFinalizer}, nil, nil
		s.said = report.Report{Findings: []finding.Finding{{Rule: rule, Place: finding.Place{Object: "Destination worker-1"}}}}
		s.plan()
		if has := slices.Contains(d.Finalizers, kratix.LiveFinalizer); has != want {
			t.Errorf("%s: the finalizer is there: %v, want %v", rule.Name, has, want)
		}
	}
}

func TestOnlyAWrittenDestinationHasAFinalizer(t *testing.T) {
	for mode, finalizer := range map[Mode]string{Promote: kratix.LiveFinalizer, Manage: kratix.DestinationFinalizer} {
		s := promotionFixture(t)
		s.mode = mode
		d := s.now.Destinations[0]
		d.Spec.Cleanup = "all"
		s.said = report.Report{Findings: []finding.Finding{{Rule: finding.SharedPath(), Place: finding.Place{Object: "Destination worker-1"}, Message: "because"}}}
		s.plan()
		if len(d.Finalizers) > 0 {
			t.Errorf("%s: finalizers %v of a Destination that is not written", mode, d.Finalizers)
		}
		s.promoted(report.Placed)
		s.plan()
		if !slices.Equal(d.Finalizers, []string{finalizer}) {
			t.Errorf("%s: finalizers %v, want %s", mode, d.Finalizers, finalizer)
		}
		d.DeletionTimestamp, s.now.WorkPlacements = &noon, nil
		s.said = report.Report{}
		s.plan()
		if len(d.Finalizers) == 0 {
			t.Errorf("%s: the finalizer is gone though nothing is known", mode)
		}
		s.said.Emptied = []string{"worker-1"}
		s.plan()
		if len(d.Finalizers) > 0 {
			t.Errorf("%s: finalizers %v of a Destination that has nothing", mode, d.Finalizers)
		}
	}
}

func TestUncheckedPlacementIsNotConflictFree(t *testing.T) {
	about := func(rule finding.Rule, object string) func(*fixture) {
		return func(s *fixture) {
			s.said = report.Report{Findings: []finding.Finding{{Rule: rule, Place: finding.Place{Object: object}, Message: "because"}}}
		}
	}
	unread := func(s *fixture) {
		s.promoted(report.Failed).Unread = true
		s.said.Stores = nil
		s.said.Findings = []finding.Finding{{Rule: finding.StoreFailed(), Place: finding.Place{Object: "GitStateStore live"}, Message: "no route"}}
	}
	for name, c := range map[string]struct {
		set                          func(*fixture)
		placement, work, destination string
	}{
		"the live store cannot be read":     {unread, "False DuplicateResources", "False DuplicateResources", "False DuplicateResources"},
		"the live store cannot be written":  {func(s *fixture) { s.promoted(report.Failed); s.said.Stores = nil }, "True NoConflict", "True NoConflict", "False DuplicateResources"},
		"the annotation is gone":            {about(finding.NotPromoted(), "Destination worker-1"), "Unknown NotPromoted", "Unknown NotPromoted", "Unknown NotPromoted"},
		"the live store is invalid":         {about(finding.InvalidLiveStore(), "Destination worker-1"), "Unknown InvalidLiveStore", "Unknown InvalidLiveStore", "Unknown InvalidLiveStore"},
		"another Destination is in the way": {about(finding.SharedPath(), "Destination worker-1"), "Unknown SharedPath", "Unknown SharedPath", "Unknown SharedPath"},
		"the WorkPlacement is odd":          {about(finding.UnusablePlacement(), "WorkPlacement default/a.worker-1-5058f"), "Unknown UnusablePlacement", "Unknown UnusablePlacement", "False DuplicateResources"},
		"it is placed":                      {func(s *fixture) { s.promoted(report.Placed) }, "True NoConflict", "True NoConflict", "True NoConflict"},
	} {
		t.Run(name, func(t *testing.T) {
			s := promotionFixture(t)
			s.promoted(report.HeldBack)
			s.said.Findings = []finding.Finding{{Rule: finding.DuplicateObject(), Place: finding.Place{Object: "Work default/a"}, Message: "twice"}}
			s.plan()
			c.set(s)
			for range 2 {
				s.plan()
				s.condition(s.now.WorkPlacements[0].Status.Conditions, kratix.ConflictFreeCondition, c.placement)
				s.condition(s.now.Works[0].Status.Conditions, kratix.ConflictFreeCondition, c.work)
				s.condition(s.now.Destinations[0].Status.Conditions, kratix.ConflictFreeCondition, c.destination)
			}
			if again, events := s.plan(); len(again)+len(events) > 0 {
				t.Errorf("and again %q, %q", again, events)
			}
			s.promoted(report.Placed)
			s.plan()
			s.condition(s.now.WorkPlacements[0].Status.Conditions, kratix.ConflictFreeCondition, "True NoConflict")
			s.condition(s.now.Works[0].Status.Conditions, kratix.ConflictFreeCondition, "True NoConflict")
			s.condition(s.now.Destinations[0].Status.Conditions, kratix.ConflictFreeCondition, "True NoConflict")
		})
	}
}
