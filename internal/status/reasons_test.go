package status

import (
	"cmp"
	"maps"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

type spoken struct {
	mode                             Mode
	object, condition, value, reason string
}

func (s *fixture) round(said map[spoken]bool) {
	s.t.Helper()
	for _, change := range slices.Concat(Plan(s.said, s.now, s.mode, s.selects, noon)...) {
		for _, step := range change.Steps {
			s.do(change.Object, step)
		}
		for _, event := range change.Events {
			said[spoken{s.mode, cmp.Or(event.About, change.Object).KindName(), "", event.Type, event.Reason}] = true
		}
	}
	note := func(object kratix.Object, conditions []metav1.Condition) {
		for _, c := range conditions {
			said[spoken{s.mode, object.KindName(), c.Type, string(c.Status), c.Reason}] = true
		}
	}
	for _, o := range s.now.Works {
		note(o, o.Status.Conditions)
	}
	for _, o := range s.now.WorkPlacements {
		note(o, o.Status.Conditions)
	}
	for _, o := range s.now.Destinations {
		note(o, o.Status.Conditions)
	}
	for _, o := range s.now.Rollouts {
		note(o, o.Status.Conditions)
	}
	for _, o := range s.now.StateStores.All() {
		note(o, o.Reported().Conditions)
	}
}

func (s *fixture) allIsWell(store string) {
	s.now.Works[0].DeletionTimestamp = nil
	s.placed(report.Unchanged)
	s.said.Stores[0].Name = store + " default"
	if store == kratix.OCIStateStoreKind {
		s.said.Stores[0].Name += "/d"
	}
}

type incident func(s *fixture)

func findingIncident(state report.State, f finding.Finding) incident {
	return func(s *fixture) {
		p := s.placed(state)
		p.Written = true
		if state == report.Unplaced {
			p.Object, p.Destination = nil, ""
		}
		f.Message = "why"
		s.said.Findings = []finding.Finding{f}
		if state == report.Failed {
			s.said.Stores = nil
		}
	}
}

func about(rule finding.Rule, object string) finding.Finding {
	return finding.Finding{Rule: rule, Place: finding.Place{Object: object}}
}

func incidents(mode Mode) []incident {
	const work, destination = "Work default/a", "Destination worker-1"
	all := []incident{
		func(s *fixture) { s.placed(report.Placed) },
		func(s *fixture) { s.now.Destinations[0].Spec.InitWorkloads.Enabled = new(bool) },
		func(s *fixture) { s.placed(report.Unchanged).Misplaced = true },
		func(s *fixture) { s.placed(report.HeldBack).Written = true }, // the cause is a conflict of another placement
		func(s *fixture) { // the Work is also placed on another Destination
			second := *s.placed(report.Unchanged)
			second.State, second.Destination = report.Placed, "worker-2"
			second.Object = testkit.Placement(s.now.Works[0], "worker-2")
			s.said.Placements = append(s.said.Placements, second)
		},
		func(s *fixture) { // the Work is being deleted, but its files stay
			s.now.Works[0].Finalizers, s.now.Works[0].DeletionTimestamp = []string{kratix.WorkFinalizer}, &noon
			findingIncident(report.Failed, about(finding.StoreFailed(), s.now.Destinations[0].Spec.StateStoreRef.String()))(s)
		},
		findingIncident(report.Unplaced, about(finding.NoDestination(), work)),
		findingIncident(report.Unplaced, about(finding.PlacementWaits(), work)),
		findingIncident(report.Removed, about(finding.InvalidObject(), work)),
		findingIncident(report.Failed, about(finding.StoreMissing(), destination)),
		findingIncident(report.Failed, about(finding.UnsafePath(), destination)),
		func(s *fixture) { // a placement on the Destination was quarantined
			findingIncident(report.HeldBack, about(finding.DuplicateObject(), work))(s)
			s.plan()
			findingIncident(report.Failed, about(finding.UnsafePath(), destination))(s)
		},
	}
	if mode != Observe {
		all = append(all, findingIncident(report.Unchanged, about(finding.OtherScheduler(), "")))
	}
	if mode == Schedule {
		all = append(all, findingIncident(report.Unchanged, about(finding.PolicyNotInForce(), "")))
	}
	all = append(all, agentIncidents()...)
	all = append(all, rolloutIncidents()...)
	for _, rule := range holdingRules() {
		all = append(all, findingIncident(report.HeldBack, about(rule, work)))
	}
	for _, cause := range []finding.Cause{finding.SecretMissing, finding.Unopened, finding.Refused, finding.Unwritten} {
		for _, store := range []string{"GitStateStore default", "BucketStateStore default", "OCIStateStore default/d"} {
			f := about(finding.StoreFailed(), store)
			f.Cause = cause
			all = append(all, findingIncident(report.Failed, f))
		}
	}
	return all
}

func agentIncidents() []incident {
	reports := func(outcome agent.Outcome, own, current bool) incident {
		return func(s *fixture) {
			state := healthy("1")
			s.delivered(report.Delivery{State: state})
			s.plan()
			state.Failure = &agent.Failure{Revision: "2", Outcome: outcome}
			d := report.Delivery{State: state, Unapplied: map[kratix.Key]bool{}, Unchecked: map[kratix.Key]bool{}}
			at := kratix.KeyOf(s.said.Placements[0].Object)
			if own {
				d.Failing = []report.Claimant{{Placement: at}}
			}
			d.Unapplied[at], d.Unchecked[at] = !current, !current
			s.delivered(d)
		}
	}
	all := []incident{
		func(s *fixture) { s.delivered(report.Delivery{State: agent.State{Latest: noon.Time}}) },
		func(s *fixture) { // the agent has reported only one of two placements
			s.delivered(report.Delivery{State: healthy("1")})
			second := s.said.Placements[0]
			second.State, second.Object = report.Placed, second.Object.DeepCopy()
			second.Object.Name += "-2"
			s.said.Placements = append(s.said.Placements, second)
		},
	}
	for _, outcome := range []agent.Outcome{agent.BuildFailed, agent.ApplyFailed, agent.HealthFailed, agent.PruneFailed} {
		all = append(all, reports(outcome, true, false), reports(outcome, false, false), reports(outcome, true, true))
	}
	for i := range all {
		failing := all[i]
		all = append(all, func(s *fixture) { // the same failure, and then a recovery
			failing(s)
			s.plan()
			s.delivered(report.Delivery{State: healthy("3")})
		})
	}
	return all
}

func rolloutIncidents() []incident {
	enters := func(s *fixture, phase string) {
		r := &kratix.Rollout{}
		r.Name = "operators"
		if len(s.now.Rollouts) == 0 {
			s.now.Rollouts = append(s.now.Rollouts, r)
		}
		s.said.Rollouts = []report.Rollout{{Name: "operators", Promise: "redis", Phase: phase, Works: []string{"default/a"}, Reason: "why"}}
	}
	all := []incident{
		func(s *fixture) {
			enters(s, "Progressing")
			s.said.Findings = []finding.Finding{about(finding.InvalidObject(), "Rollout operators")}
			s.said.Rollouts = nil
		},
	}
	for _, phase := range rolloutPhases() {
		all = append(all, func(s *fixture) {
			enters(s, "Waiting")
			if phase == "Waiting" {
				enters(s, "Progressing")
			}
			s.plan()
			enters(s, phase)
		})
	}
	return all
}

func TestTableOfReasonsIsComplete(t *testing.T) {
	said := map[spoken]bool{}
	for _, mode := range []Mode{Manage, Observe, Schedule} {
		for _, happens := range incidents(mode) {
			for _, store := range kratix.StateStoreKinds() {
				s := newFixture(t)
				s.mode = mode
				s.now.Destinations[0].Spec.StateStoreRef.Kind = store
				bucket := &kratix.BucketStateStore{}
				bucket.Name = "default"
				s.now.BucketStateStores = append(s.now.BucketStateStores, bucket)
				registry := &kratix.OCIStateStore{}
				registry.Name = "default"
				s.now.OCIStateStores = append(s.now.OCIStateStores, registry)
				if store == kratix.OCIStateStoreKind {
					s.now.Destinations[0].Spec.StateStoreRef.Dir = "d"
				}
				s.allIsWell(store)
				if mode == Observe {
					s.now.WorkPlacements = append(s.now.WorkPlacements, s.said.Placements[0].Object)
				}
				s.round(said)
				s.round(said) // this round reads the objects that the first round created
				happens(s)
				s.round(said)
				s.allIsWell(store)
				s.round(said)
			}
		}
	}
	rules := map[string]bool{}
	for _, rule := range finding.Rules() {
		rules[rule.Name] = true
	}
	listed := map[spoken]bool{}
	for _, row := range Reasons() {
		for _, mode := range row.Modes {
			listed[spoken{mode, row.Object, row.Condition, row.Value, row.Reason}] = true
		}
		if row.Kratix && len(row.Modes) == 0 && row.WhyNot == "" {
			t.Errorf("the table does not say why %s never says %s", row.Object, row.Reason)
		}
		if row.When == "" {
			t.Errorf("the table does not say when %s says %s", row.Object, row.Reason)
		}
	}
	for what := range maps.Clone(said) {
		general := what
		general.reason = RuleName
		if !listed[what] && !(listed[general] && rules[what.reason]) {
			t.Errorf("the table does not have %+v", what)
		}
		said[general] = said[general] || listed[general] && rules[what.reason]
	}
	for what := range listed {
		if !said[what] {
			t.Errorf("nothing says %+v", what)
		}
	}
}
