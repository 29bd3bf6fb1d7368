package monitoring

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
)

// situation contains series in the notation of promtool's tests, and the expected alerts.
type situation struct {
	series string
	want   []string
}

const alive = `
	kratix_schedule_build_info{version="v1"} 1x60
	kratix_schedule_last_round_timestamp_seconds 0+60x60
	kratix_schedule_rounds_total{result="clean"} 0+1x60
	kratix_schedule_rounds_total{result="failed"} 0x60
	kratix_schedule_store_up{store="s"} 1x60
	kratix_schedule_store_errors_total{store="s",kind="denied"} 0x60
	kratix_schedule_store_errors_total{store="s",kind="misconfigured"} 0x60
	kratix_schedule_store_errors_total{store="s",kind="stale"} 0x60
	kratix_schedule_store_errors_total{store="s",kind="unavailable"} 0x60
	kratix_schedule_queue_depth{store="s"} 0x60
	kratix_schedule_store_selected{store="s",instance="a"} 1x60
	kratix_schedule_store_selected{store="s",instance="b"} 0x60
	kratix_schedule_deletions_refused 0x60
	kratix_schedule_placements{state="held back"} 0x60
	kratix_schedule_placements{state="not placed"} 0x60
	kratix_schedule_placements{state="unchanged"} 10x60
	kratix_schedule_agent_placements{destination="d",condition="Applied",status="True"} 10x60
	kratix_schedule_agent_placements{destination="d",condition="Applied",status="Unknown"} 0x60
	kratix_schedule_agent_placements{destination="d",condition="Healthy",status="False"} 0x60
	kratix_schedule_round_duration_seconds_bucket{le="64"} 0+10x60
	kratix_schedule_round_duration_seconds_bucket{le="256"} 0+10x60
	kratix_schedule_round_duration_seconds_bucket{le="+Inf"} 0+10x60`

func TestAlertsFireWhenTheyShould(t *testing.T) {
	alerts := rules(t)
	fired := map[string]bool{}
	for name, s := range map[string]situation{
		"all is well":                {"", nil},
		"nothing is scraped":         {"kratix_schedule_build_info{version=\"v1\"} 1x40 stale", []string{"KratixScheduleAbsent"}},
		"scraping fails for a while": {"kratix_schedule_build_info{version=\"v1\"} 1x40 stale _x10 1x10", nil},
		"a round hangs":              {"kratix_schedule_last_round_timestamp_seconds 0+60x20 1200x40", []string{"KratixScheduleStuck"}},
		"a round is slow":            {"kratix_schedule_last_round_timestamp_seconds 0+60x42 2520x18", nil},
		"no round works": {`
			kratix_schedule_rounds_total{result="clean"} 7x60
			kratix_schedule_rounds_total{result="failed"} 0+4x60`, []string{"KratixScheduleRoundsFail"}},
		"some rounds work":             {`kratix_schedule_rounds_total{result="failed"} 0+4x60`, nil},
		"a store is down":              {`kratix_schedule_store_up{store="s"} 1x40 0x20`, []string{"KratixScheduleStoreDown"}},
		"a store was down for 5 min":   {`kratix_schedule_store_up{store="s"} 1x30 0x5 1x30`, nil},
		"a store is not reached":       {`kratix_schedule_store_errors_total{store="s",kind="unavailable"} 0+4x60`, nil},
		"credentials have expired":     {`kratix_schedule_store_errors_total{store="s",kind="denied"} 0+4x60`, []string{"KratixScheduleStoreRefuses"}},
		"the branch is gone":           {`kratix_schedule_store_errors_total{store="s",kind="misconfigured"} 0+4x60`, []string{"KratixScheduleStoreRefuses"}},
		"another writer, now and then": {`kratix_schedule_store_errors_total{store="s",kind="stale"} 0 0 0 1 1 1 1 2x60`, nil},
		"another writer all the time":  {`kratix_schedule_store_errors_total{store="s",kind="stale"} 0+2x60`, []string{"KratixScheduleStoreContended"}},
		"a burst is written":           {`kratix_schedule_queue_depth{store="s"} 0x50 500 400 300 200 100 0x10`, nil},
		"nothing gets through":         {`kratix_schedule_queue_depth{store="s"} 0x20 3x40`, []string{"KratixScheduleQueueStands"}},
		"changes wait all the time":    {`kratix_schedule_next_commit_timestamp_seconds{store="s"} 1000x90`, []string{"KratixScheduleCommitsLimited"}},
		"commits all day":              {`kratix_schedule_commits_total{store="GitStateStore s"} 0+200x60`, []string{"KratixScheduleCommitsADay"}},
		"writes of a bucket all day":   {`kratix_schedule_commits_total{store="BucketStateStore s"} 0+200x60`, nil},
		"changes wait now and then":    {`kratix_schedule_next_commit_timestamp_seconds{store="s"} 0 1000 0 1000 1000 0 1000x5 0x50`, nil},
		"no shard selects a store":     {`kratix_schedule_store_selected{store="s",instance="a"} 1x40 0x20`, []string{"KratixScheduleStoreShards"}},
		"two shards select a store":    {`kratix_schedule_store_selected{store="s",instance="b"} 0x40 1x20`, []string{"KratixScheduleStoreShards"}},
		"a store changes its shard":    {`kratix_schedule_store_selected{store="s",instance="b"} 0x40 1x5 0x20`, nil},
		"the guard refused":            {`kratix_schedule_deletions_refused 0x50 1x10`, []string{"KratixScheduleDeletionsRefused"}},
		"a conflict":                   {`kratix_schedule_placements{state="held back"} 0x20 2x40`, []string{"KratixScheduleHeldBack"}},
		"a conflict for a moment":      {`kratix_schedule_placements{state="held back"} 0x50 2x5 0x20`, nil},
		"no Destination":               {`kratix_schedule_placements{state="not placed"} 0x20 2x40`, []string{"KratixScheduleNotPlaced"}},
		"an agent cannot build":        {`kratix_schedule_agent_failing_since_timestamp_seconds{destination="d",root="resources",outcome="BuildFailed"} _x40 2400x20`, []string{"KratixScheduleAgentFails"}},
		"an agent fails in two ways": {`
			kratix_schedule_agent_failing_since_timestamp_seconds{destination="d",root="resources",outcome="BuildFailed"} _x40 2400x10 stale
			kratix_schedule_agent_failing_since_timestamp_seconds{destination="d",root="resources",outcome="ApplyFailed"} _x50 3000x10`, []string{"KratixScheduleAgentFails"}},
		"an agent failed for 5 min": {`kratix_schedule_agent_failing_since_timestamp_seconds{destination="d",root="",outcome="ApplyFailed"} _x40 2400x5 stale`, nil},
		"a rollout has failed":      {`kratix_schedule_rollout_phase{rollout="r",promise="p",phase="Failed"} _x40 1x20`, []string{"KratixScheduleRolloutFailed"}},
		"a rollout goes on": {`
			kratix_schedule_rollout_phase{rollout="r",promise="p",phase="Progressing"} 1x60
			kratix_schedule_rollout_changed_timestamp_seconds{rollout="r",promise="p"} 0x60`, nil},
		"a rollout is stuck": {`
			kratix_schedule_rollout_phase{rollout="r",promise="p",phase="Progressing"} 1x60
			kratix_schedule_rollout_changed_timestamp_seconds{rollout="r",promise="p"} -50000x60`, []string{"KratixScheduleRolloutStuck"}},
		"a placement is not healthy": {`
			kratix_schedule_agent_placements{destination="d",condition="Healthy",status="False"} 0x40 1x20
			kratix_schedule_agent_failing_since_timestamp_seconds{destination="d",root="resources",outcome="HealthFailed"} _x40 2400x20`, []string{"KratixScheduleNotHealthy"}},
		"a placement becomes healthy": {`kratix_schedule_agent_placements{destination="d",condition="Healthy",status="False"} 0x40 1x5 0x20`, nil},
		"an agent is silent":          {`kratix_schedule_agent_placements{destination="d",condition="Applied",status="Unknown"} 1x60`, []string{"KratixScheduleAgentSilent"}},
		"placements are blocked": {`
			kratix_schedule_agent_placements{destination="d",condition="Applied",status="Unknown"} 1x60
			kratix_schedule_agent_failing_since_timestamp_seconds{destination="d",root="resources",outcome="ApplyFailed"} 1x60`, []string{"KratixScheduleAgentFails"}},
		"rounds take minutes": {`kratix_schedule_round_duration_seconds_bucket{le="64"} 0+1x60`, []string{"KratixScheduleSlow"}},
	} {
		t.Run(name, func(t *testing.T) {
			data := promqltest.LoadedStorage(t, "load 1m\n"+loaded(s.series))
			defer data.Close()
			for alert, rule := range alerts {
				wanted := strings.Contains(strings.Join(s.want, " "), alert)
				fired[alert] = fired[alert] || wanted
				if got := firing(t, data, rule.Expr, time.Duration(rule.For)); got != wanted {
					t.Errorf("%s fires: %t", alert, got)
				}
			}
		})
	}
	for alert := range alerts {
		if !fired[alert] {
			t.Errorf("no situation makes %s fire", alert)
		}
	}
}

func loaded(own string) string {
	var text strings.Builder
	names := map[string]bool{}
	for _, list := range []string{own, alive} {
		for line := range strings.Lines(list) {
			line = strings.TrimSpace(line)
			end := max(strings.Index(line, "}"), 0)
			end += max(strings.Index(line[end:], " "), 0)
			if line == "" || names[line[:end]] {
				continue
			}
			names[line[:end]] = true
			fmt.Fprintf(&text, "  %s\n", line)
		}
	}
	return text.String()
}

func firing(t *testing.T, data storage.Queryable, expression string, since time.Duration) bool {
	t.Helper()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1_000_000, Timeout: time.Minute})
	defer engine.Close()
	for before := time.Duration(0); before <= since; before += time.Minute {
		query, err := engine.NewInstantQuery(context.Background(), data, nil, expression, time.Unix(0, 0).Add(time.Hour-before))
		if err != nil {
			t.Fatal(err)
		}
		result := query.Exec(context.Background())
		if result.Err != nil {
			t.Fatal(result.Err)
		}
		vector, err := result.Vector()
		if err != nil {
			t.Fatal(err)
		}
		if len(vector) == 0 {
			return false
		}
		query.Close()
	}
	return true
}
