package status

import (
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func TestRolloutHasOneConditionForAllPromises(t *testing.T) {
	s := newFixture(t)
	s.settle()
	r := &kratix.Rollout{}
	r.Name = "operators"
	s.now.Rollouts = append(s.now.Rollouts, r)
	s.said.Rollouts = []report.Rollout{
		{Name: "operators", Promise: "kafka", Revision: "1", Phase: "Complete"},
		{Name: "operators", Promise: "redis", Revision: "2", Phase: "Failed", Reason: "in wave canary", Works: []string{"default/a"}, Waves: []report.RolloutWave{{Name: "canary", Destinations: 1, Failed: 1}}},
		{Name: "other", Promise: "redis", Phase: "Paused"},
	}
	events := s.expect("patch status Work default/a", "patch status Rollout operators")
	if !slices.Contains(events, "Warning Failed: revision 2 of Promise redis: in wave canary") {
		t.Errorf("events %q", events)
	}
	if got := r.Status.Promises; len(got) != 2 || got[1].Waves[0].Failed != 1 {
		t.Errorf("promises %+v", got)
	}
}

func TestRolloutIsReportedByTheShardThatSelectsIt(t *testing.T) {
	for shard, want := range map[string]bool{"": true, "of the store": false} {
		s := newFixture(t).inShards()
		s.selects = selectsNamed(shard)
		s.now.Rollouts = append(s.now.Rollouts, &kratix.Rollout{})
		if steps, _ := s.plan(); slices.Contains(steps, "patch status Rollout ") != want {
			t.Errorf("the shard %q writes %v", shard, steps)
		}
	}
}
