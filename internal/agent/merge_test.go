package agent_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
)

func after(events ...agent.Event) agent.State {
	var s agent.State
	for _, e := range events {
		s, _ = s.With(e)
	}
	return s
}

func TestMergeHasTheEventsOfBoth(t *testing.T) {
	healthy1 := eventWith(1, agent.Healthy, "r1")
	for name, c := range map[string]struct{ a, b, want []agent.Event }{
		"applied later elsewhere":              {[]agent.Event{healthy1, eventWith(10, agent.Healthy, "r2")}, []agent.Event{healthy1, eventWith(11, agent.Applied, "r2")}, []agent.Event{healthy1, eventWith(10, agent.Healthy, "r2"), eventWith(11, agent.Applied, "r2")}},
		"applied at the same time elsewhere":   {[]agent.Event{healthy1, eventWith(10, agent.Healthy, "r2")}, []agent.Event{healthy1, eventWith(10, agent.Applied, "r2")}, []agent.Event{healthy1, eventWith(10, agent.Healthy, "r2")}},
		"a failure that is over":               {[]agent.Event{healthy1, eventWith(2, agent.ApplyFailed, "r1")}, []agent.Event{healthy1, eventWith(3, agent.Healthy, "r1")}, []agent.Event{healthy1, eventWith(3, agent.Healthy, "r1")}},
		"a failed health check outlasts apply": {[]agent.Event{healthy1, eventWith(2, agent.HealthFailed, "r2")}, []agent.Event{healthy1, eventWith(3, agent.Applied, "r2")}, []agent.Event{healthy1, eventWith(2, agent.HealthFailed, "r2"), eventWith(3, agent.Applied, "r2")}},
		"a later failed health check":          {[]agent.Event{healthy1}, []agent.Event{healthy1, eventWith(5, agent.HealthFailed, "r1")}, []agent.Event{healthy1, eventWith(5, agent.HealthFailed, "r1")}},
	} {
		got, want := after(c.a...), after(c.want...)
		for _, state := range []agent.State{agent.Merge(got, after(c.b...)), agent.Merge(after(c.b...), got)} {
			if states := func(s agent.State) map[string]agent.State { return map[string]agent.State{"": s} }; !agent.Same(states(state), states(want)) {
				t.Errorf("%s: %s, want %s", name, agent.FormatStates(states(state)), agent.FormatStates(states(want)))
			}
		}
	}
}

func TestMergeDoesNotDependOnTheOrder(t *testing.T) {
	outcomes := []agent.Outcome{agent.Applied, agent.Healthy, agent.ApplyFailed, agent.HealthFailed, agent.BuildFailed}
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // the same events every time
		var a, b agent.State
		for i := range 8 {
			e := eventWith(i/2, outcomes[random.IntN(len(outcomes))], fmt.Sprint("r", random.IntN(3)))
			if random.IntN(2) == 0 {
				a, _ = a.With(e)
			} else {
				b, _ = b.With(e)
			}
		}
		text := func(s agent.State) string { return agent.FormatStates(map[string]agent.State{"": s}) }
		one, other := agent.Merge(a, b), agent.Merge(b, a)
		if text(one) != text(other) {
			t.Fatalf("seed %d: %s and %s", seed, text(one), text(other))
		}
		if again := agent.Merge(one, one); text(again) != text(one) {
			t.Fatalf("seed %d: merged with itself, %s becomes %s", seed, text(one), text(again))
		}
	}
}
