package status

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func (s *fixture) delivered(d report.Delivery) {
	d.Destination, d.Root = "worker-1", "resources"
	d.AppliedKnown, d.HealthyKnown, d.Stable = d.State.Applied.Revision != "", d.State.Healthy.Revision != "", d.State
	s.said.Deliveries = []report.Delivery{d}
}

func healthy(revision string) agent.State {
	mark := agent.Mark{Revision: revision, Time: noon.Time}
	return agent.State{Applied: mark, Healthy: mark, Latest: noon.Time}
}

func (s *fixture) agentStatus(kind string) string {
	var all []string
	for _, conditions := range [][]metav1.Condition{s.now.Works[0].Status.Conditions, s.now.WorkPlacements[0].Status.Conditions, s.now.Destinations[0].Status.Conditions} {
		status := "-"
		if c := meta.FindStatusCondition(conditions, kind); c != nil {
			status = string(c.Status)
		}
		all = append(all, status)
	}
	return strings.Join(all, " ")
}

func (s *fixture) expectAgent(applied, healthy string) {
	s.t.Helper()
	if got := s.agentStatus(kratix.AppliedCondition); got != applied {
		s.t.Errorf("Applied of the Work, its WorkPlacement and its Destination: %s, want %s", got, applied)
	}
	if got := s.agentStatus(kratix.HealthyCondition); got != healthy {
		s.t.Errorf("Healthy of the Work, its WorkPlacement and its Destination: %s, want %s", got, healthy)
	}
}

func TestConditionsFollowTheAgent(t *testing.T) {
	s := newFixture(t)
	s.plan()
	s.expectAgent("- - -", "- - -") // no agent has reported anything

	s.placed(report.Unchanged)
	s.delivered(report.Delivery{State: agent.State{Applied: agent.Mark{Revision: "1", Time: noon.Time}}})
	s.plan()
	s.expectAgent("True True True", "Unknown Unknown Unknown")

	s.delivered(report.Delivery{State: healthy("1")})
	steps, events := s.plan()
	s.expectAgent("True True True", "True True True")
	if len(events) > 0 {
		t.Error("events about what was to be expected:", events)
	}
	if again, _ := s.plan(); len(steps) == 0 || len(again) > 0 {
		t.Errorf("first %q, then %q", steps, again)
	}

	s.placed(report.Placed) // the Work has changed
	s.delivered(report.Delivery{State: healthy("1")})
	s.plan()
	s.expectAgent("Unknown Unknown Unknown", "Unknown Unknown Unknown")
}

func TestFailureIsReportedOnItsPlacement(t *testing.T) {
	s := newFixture(t)
	s.placed(report.Unchanged)
	s.plan()
	state := healthy("1")
	state.Failure = &agent.Failure{Revision: "2", Outcome: agent.ApplyFailed, Message: "Deployment/a/x dry-run failed: no\x1b[31m", Since: noon.Add(time.Minute)}
	owner := report.Claimant{Placement: kratix.KeyOf(s.said.Placements[0].Object), Work: "default/a"}
	s.delivered(report.Delivery{State: state, Failing: []report.Claimant{owner}, Unapplied: map[kratix.Key]bool{owner.Placement: true}, Unchecked: map[kratix.Key]bool{owner.Placement: true}})
	_, events := s.plan()
	s.expectAgent("False False False", "Unknown Unknown False")
	want := `Warning ApplyFailed: revision 2: Deployment/a/x dry-run failed: no\x1b[31m`
	if !slices.Contains(events, want) {
		t.Errorf("%q\nlacks\n%s", events, want)
	}
	if steps, events := s.plan(); len(steps)+len(events) > 0 {
		t.Errorf("the same failure again: %q %q", steps, events)
	}
	s.delivered(report.Delivery{State: healthy("3")})
	if _, events = s.plan(); !slices.ContainsFunc(events, func(e string) bool { return strings.HasPrefix(e, "Normal Applied: ") }) {
		t.Errorf("%q", events)
	}
	s.expectAgent("True True True", "True True True")
}

func TestConditionThatStaysTrueIsNotWritten(t *testing.T) {
	s := newFixture(t)
	s.placed(report.Unchanged)
	s.delivered(report.Delivery{State: healthy("1")})
	s.plan()
	s.delivered(report.Delivery{State: healthy("2")})
	s.said.Deliveries[0].Stable = healthy("1")
	if steps, _ := s.plan(); len(steps) > 0 {
		t.Errorf("%q", steps)
	}
}

func (s *fixture) agentMessages(kind string) []string {
	var all []string
	for _, conditions := range [][]metav1.Condition{s.now.Works[0].Status.Conditions, s.now.WorkPlacements[0].Status.Conditions, s.now.Destinations[0].Status.Conditions} {
		all = append(all, meta.FindStatusCondition(conditions, kind).Message)
	}
	return all
}

func TestTrueMessagesHaveTheRevision(t *testing.T) {
	s := newFixture(t)
	s.placed(report.Unchanged)
	s.delivered(report.Delivery{State: healthy("1")})
	s.plan()
	expect := func(kind string, want ...string) {
		t.Helper()
		if got := s.agentMessages(kind); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
	expect(kratix.AppliedCondition, "worker-1: applied in revision 1", "applied in revision 1", "resources: applied revision 1")
	expect(kratix.HealthyCondition, "worker-1: healthy in revision 1", "healthy in revision 1", "resources: healthy in revision 1")

	// The Destination has other files now, but the Work has the same files.
	s.delivered(report.Delivery{State: healthy("2")})
	steps, events := s.plan()
	expect(kratix.AppliedCondition, "worker-1: applied in revision 1", "applied in revision 1", "resources: applied revision 2")
	if len(steps) != 2 || len(events) > 0 {
		t.Errorf("%q %q, want the annotation and the status of the Destination", steps, events)
	}
}

func TestSummaryNamesTheFirstPlacements(t *testing.T) {
	of := func(status, message string) agentConditions {
		return agentConditions{placement: report.Placement{Destination: "on"}, applied: report.AgentCondition{Status: status, Reason: "Reason" + status, Message: message}}
	}
	destination := func(a agentConditions) string { return a.placement.Destination }
	for name, test := range map[string]struct {
		all  []agentConditions
		want report.AgentCondition
	}{
		"none":            {nil, report.AgentCondition{}},
		"one is not read": {[]agentConditions{of(report.True, "a"), {}}, report.AgentCondition{}},
		"equal messages":  {[]agentConditions{of(report.True, "a"), of(report.True, "a")}, report.AgentCondition{Status: report.True, Reason: "ReasonTrue", Message: "on: a"}},
		"one is unknown":  {[]agentConditions{of(report.True, "a"), of(report.Unknown, "b")}, report.AgentCondition{Status: report.Unknown, Reason: partlyReported, Message: "on: b"}},
		"all are unknown": {[]agentConditions{of(report.Unknown, "a"), of(report.Unknown, "a")}, report.AgentCondition{Status: report.Unknown, Reason: "ReasonUnknown", Message: "on: a"}},
		"one is false": {
			[]agentConditions{of(report.Unknown, "a"), of(report.False, "b"), of(report.True, "c"), of(report.Unknown, "d")},
			report.AgentCondition{Status: report.False, Reason: "ReasonFalse", Message: "on: b"},
		},
		"many are false": {
			[]agentConditions{of(report.False, "a"), of(report.False, "b"), of(report.False, "c"), of(report.False, "d"), of(report.False, "e")},
			report.AgentCondition{Status: report.False, Reason: "ReasonFalse", Message: "on: a; on: b; on: c; and 2 more"},
		},
	} {
		if got, _ := summaries(test.all, destination); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

func TestReportedStateIsKeptAtTheDestination(t *testing.T) {
	s := newFixture(t)
	s.placed(report.Unchanged)
	s.delivered(report.Delivery{State: healthy("1")})
	s.plan()
	states, err := agent.ParseStates(s.now.Destinations[0].Annotations[kratix.ReportedAnnotation])
	if err != nil || states["resources"].Healthy.Revision != "1" {
		t.Errorf("%v %+v", err, states)
	}
	for _, mode := range []Mode{Observe, Schedule} {
		s := newFixture(t)
		s.mode = mode
		s.placed(report.Unchanged)
		s.delivered(report.Delivery{State: healthy("1")})
		if steps, _ := s.plan(); slices.Contains(steps, "patch Destination worker-1") {
			t.Errorf("%s: %q", mode, steps)
		}
	}
}

func TestUnknownRevisionLeavesConditionsAsTheyAre(t *testing.T) {
	s := newFixture(t)
	s.placed(report.Unchanged)
	s.delivered(report.Delivery{State: healthy("1")})
	s.plan()
	s.delivered(report.Delivery{State: healthy("9")})
	s.said.Deliveries[0].AppliedKnown, s.said.Deliveries[0].HealthyKnown = false, false
	s.plan()
	s.expectAgent("True True True", "True True True")
}

func TestPlacementStaysAppliedWhenTheProcessRestartsDuringTheFailureOfAnother(t *testing.T) {
	failing := healthy("1")
	failing.Failure = &agent.Failure{Revision: "2", Outcome: agent.ApplyFailed, Message: "ConfigMap/a/x dry-run failed: no", Since: noon.Add(time.Minute)}
	restarted := func(s *fixture) {
		s.delivered(report.Delivery{State: failing})
		s.said.Deliveries[0].AppliedKnown, s.said.Deliveries[0].HealthyKnown = false, false
		s.plan()
	}
	s := newFixture(t)
	s.placed(report.Unchanged)
	s.delivered(report.Delivery{State: healthy("1")})
	s.plan()
	restarted(s)
	s.expectAgent("True True False", "True True False")

	s = newFixture(t) // the placement was never applied
	s.placed(report.Unchanged)
	s.plan()
	restarted(s)
	s.expectAgent("Unknown Unknown False", "Unknown Unknown False")
}
