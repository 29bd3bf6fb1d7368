package telemetry

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func TestMetricsOfRounds(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry, "v1")
	lines := func() string {
		var s Server
		_, text := get(t, s.Handler(registry, Admin{Level: zap.NewAtomicLevel()}), "/metrics")
		return text
	}
	has := func(wanted ...string) {
		t.Helper()
		text := lines()
		for _, want := range wanted {
			if !strings.Contains(text, namespace+"_"+want+"\n") {
				t.Errorf("missing: %s", want)
			}
		}
	}
	has(`build_info{version="v1"} 1`, `rounds_total{result="failed"} 0`, `placements{state="held back"} 0`,
		`findings{name="DuplicateObject",rule="KS001",severity="error"} 0`, `deletions_refused 0`)

	refused := finding.Finding{Rule: finding.DeletionsRefused()}
	m.Round(report.Report{
		Placements: []report.Placement{newPlacement(report.Placed, "a"), newPlacement(report.Placed, "b"), newPlacement(report.HeldBack, "c"), newPlacement(report.Placed, "d")},
		Findings:   []finding.Finding{storeDown(""), storeDown(""), refused},
	}, nil, time.Unix(100, 0), time.Second)
	has(`placements{state="placed"} 3`, `placements{state="held back"} 1`, `deletions_refused 1`,
		`findings{name="StoreFailed",rule="KS060",severity="error"} 2`)

	m.Round(report.Report{Placements: []report.Placement{newPlacement(report.Unchanged, "a")}}, nil, time.Unix(200, 0), 2*time.Second)
	m.Round(report.Report{}, errors.New("no"), time.Unix(300, 0), time.Second)
	has(`rounds_total{result="clean"} 1`, `rounds_total{result="findings"} 1`, `rounds_total{result="failed"} 1`,
		`placements{state="unchanged"} 1`, `placements{state="held back"} 0`, `deletions_refused 0`,
		`findings{name="StoreFailed",rule="KS060",severity="error"} 0`,
		`last_round_timestamp_seconds 300`, `round_duration_seconds_count 3`, `round_duration_seconds_sum 4`)

	m.CountStatusWrites(map[string]int{"create": 1, "patch status": 2})
	m.CountStatusWrites(map[string]int{"patch status": 3})
	has(`api_writes_total{verb="create"} 1`, `api_writes_total{verb="patch status"} 5`)
}

func TestMetricsAreNamedAsPrometheusAdvises(t *testing.T) {
	s := newFixture(t)
	if _, err := s.open("x").Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.open("x").Apply(t.Context(), changesOfTwoPlacements("")); err != nil {
		t.Fatal(err)
	}
	_, done := s.observer.Stage(t.Context(), "source")
	done(nil)
	r := agentReport(agent.State{Failure: &agent.Failure{Outcome: agent.ApplyFailed}})
	r.Rollouts = []report.Rollout{{Phase: "Failed", Destinations: []report.RolloutDestination{{Since: time.Unix(1, 0)}}}}
	s.metrics.Round(r, nil, time.Unix(0, 0), 0)
	s.metrics.CountStatusWrites(map[string]int{"create": 1})
	problems, err := testutil.GatherAndLint(s.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var gathered, defined []string
	for _, family := range families {
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, label.GetName())
		}
		gathered = append(gathered, strings.ToLower(family.GetType().String())+" "+family.GetName()+" "+strings.Join(labels, ","))
	}
	for _, d := range s.metrics.Definitions() {
		if d.Help == "" || !strings.HasSuffix(d.Help, ".") {
			t.Errorf("%s: the help is no sentence: %q", d.Name, d.Help)
		}
		defined = append(defined, d.Type+" "+d.Name+" "+strings.Join(slices.Sorted(slices.Values(d.Labels)), ","))
	}
	slices.Sort(defined)
	slices.Sort(gathered)
	if !slices.Equal(gathered, defined) {
		t.Errorf("a scrape has\n%s\ndefined are\n%s", strings.Join(gathered, "\n"), strings.Join(defined, "\n"))
	}
}
