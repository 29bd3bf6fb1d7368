package agent_test

import (
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func eventAt(second int, outcome agent.Outcome, revision string, objects ...agent.Object) agent.Event {
	return agent.Event{Revision: revision, Outcome: outcome, Objects: objects, Message: string(outcome), Time: noon.Add(time.Duration(second) * time.Second)}
}

func stateAfter(events ...agent.Event) (state agent.State, changed bool) {
	for _, e := range events {
		state, changed = state.With(e)
	}
	return state, changed
}

func TestStateFollowsTheEvents(t *testing.T) {
	deployment := agent.Object{Kind: "Deployment", Namespace: "a", Name: "x"}
	for _, test := range []struct {
		name                      string
		events                    []agent.Event
		applied, healthy, failure string
		changed                   bool
	}{
		{"nothing", nil, "", "", "", false},
		{"progress says nothing", []agent.Event{eventAt(0, agent.Progressing, "1")}, "", "", "", false},
		{"applied", []agent.Event{eventAt(0, agent.Applied, "1")}, "1", "", "", true},
		{"healthy is applied, too", []agent.Event{eventAt(0, agent.Healthy, "1")}, "1", "1", "", true},
		{"again", []agent.Event{eventAt(0, agent.Healthy, "1"), eventAt(9, agent.Healthy, "1")}, "1", "1", "", false},
		{"a failure keeps what was applied", []agent.Event{eventAt(0, agent.Healthy, "1"), eventAt(1, agent.ApplyFailed, "2")}, "1", "1", "2", true},
		{"the same failure again", []agent.Event{eventAt(1, agent.ApplyFailed, "2"), eventAt(2, agent.ApplyFailed, "2")}, "", "", "2", false},
		{"the same outcome for another object", []agent.Event{eventAt(1, agent.ApplyFailed, "2"), eventAt(2, agent.ApplyFailed, "2", deployment)}, "", "", "2", true},
		{"an apply ends a failure to apply", []agent.Event{eventAt(1, agent.ApplyFailed, "2"), eventAt(2, agent.Applied, "2")}, "2", "", "", true},
		{"an apply does not end a failure of health", []agent.Event{eventAt(1, agent.HealthFailed, "2"), eventAt(2, agent.Applied, "2")}, "2", "", "2", false},
		{"an apply of another revision does", []agent.Event{eventAt(1, agent.HealthFailed, "2"), eventAt(2, agent.Applied, "3")}, "3", "", "", true},
		{"health ends a failure of health", []agent.Event{eventAt(1, agent.HealthFailed, "2"), eventAt(2, agent.Healthy, "2")}, "2", "2", "", true},
		{"what was healthy may fail", []agent.Event{eventAt(0, agent.Healthy, "1"), eventAt(1, agent.HealthFailed, "1")}, "1", "", "1", true},
		{"an older event changes nothing", []agent.Event{eventAt(5, agent.ApplyFailed, "2"), eventAt(1, agent.Healthy, "1")}, "", "", "2", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			state, changed := stateAfter(test.events...)
			failure := ""
			if state.Failure != nil {
				failure = state.Failure.Revision
			}
			if state.Applied.Revision != test.applied || state.Healthy.Revision != test.healthy || failure != test.failure || changed != test.changed {
				t.Errorf("applied %q, healthy %q, failure %q, changed %v", state.Applied.Revision, state.Healthy.Revision, failure, changed)
			}
		})
	}
}

func TestStateHasTheFilesOfAFailure(t *testing.T) {
	in := func(file string) agent.Event {
		e := eventAt(1, agent.BuildFailed, "2")
		e.Files = []string{file}
		return e
	}
	if state, changed := stateAfter(in("a.yaml"), in("a.yaml")); changed || len(state.Failure.Files) != 1 {
		t.Errorf("the same failure again: %+v, changed %t", state.Failure, changed)
	}
	if state, changed := stateAfter(in("a.yaml"), in("b.yaml")); !changed || state.Failure.Files[0] != "b.yaml" {
		t.Errorf("a failure of another file: %+v, changed %t", state.Failure, changed)
	}
}

func TestStateOfTheFirstEventStays(t *testing.T) {
	state, _ := stateAfter(eventAt(1, agent.ApplyFailed, "2"), eventAt(2, agent.ApplyFailed, "2"), eventAt(3, agent.ApplyFailed, "2"))
	if !state.Failure.Since.Equal(noon.Add(time.Second)) {
		t.Errorf("the failure is since %s", state.Failure.Since)
	}
}

func TestStatesSurviveTheAnnotation(t *testing.T) {
	state, _ := stateAfter(eventAt(0, agent.Healthy, "1"), eventAt(1, agent.ApplyFailed, "2", agent.Object{Kind: "Deployment", Namespace: "a", Name: "x"}))
	text := agent.FormatStates(map[string]agent.State{"resources": state, "": {}})
	read, err := agent.ParseStates(text)
	if err != nil {
		t.Fatal(err)
	}
	if again := agent.FormatStates(read); again != text {
		t.Errorf("%s\nis read as\n%s", text, again)
	}
	for _, bad := range []string{"", "[]", `{"a":1}`, `{"a":{}}`} {
		if _, err := agent.ParseStates(bad); err == nil {
			t.Errorf("%q is parsed", bad)
		}
	}
}
