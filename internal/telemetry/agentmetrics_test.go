package telemetry

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// agentReport returns a report with two placements on worker-1, and with the given state.
func agentReport(state agent.State) report.Report {
	r := report.Report{}
	for _, name := range []string{"a", "b"} {
		object := &kratix.WorkPlacement{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
		r.Placements = append(r.Placements, report.Placement{Work: "default/" + name, Destination: "worker-1", State: report.Unchanged, Object: object})
	}
	d := report.Delivery{Destination: "worker-1", State: state, Stable: state, AppliedKnown: true, HealthyKnown: state.Healthy.Revision != ""}
	if state.Failure != nil {
		d.Failing = []report.Claimant{{Placement: kratix.KeyOf(r.Placements[0].Object), Work: "default/a"}}
	}
	r.Deliveries = []report.Delivery{d}
	return r
}

func TestMetricsFollowAgents(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m := NewMetrics(registry, "v1")
	round := func(r report.Report, want string) {
		t.Helper()
		m.Round(r, nil, time.Now(), time.Second)
		var lines strings.Builder
		gathered, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range gathered {
			name := strings.TrimPrefix(family.GetName(), "kratix_schedule_")
			if name != "agent_placements" && name != "agent_failing_since_timestamp_seconds" {
				continue
			}
			for _, series := range family.GetMetric() {
				if value := series.GetGauge().GetValue(); value > 0 {
					lines.WriteString(strings.TrimSuffix(name, "_timestamp_seconds"))
					for _, label := range series.GetLabel() {
						lines.WriteString(" " + label.GetValue())
					}
					lines.WriteString("\n")
				}
			}
		}
		if lines.String() != want {
			t.Errorf("got\n%s\nwant\n%s", lines.String(), want)
		}
	}
	mark := agent.Mark{Revision: "1", Time: time.Unix(100, 0)}
	fine := agent.State{Applied: mark, Healthy: mark}
	round(report.Report{}, "")
	round(agentReport(agent.State{Applied: mark}), "agent_placements Applied worker-1 True\nagent_placements Healthy worker-1 Unknown\n")
	round(agentReport(fine), "agent_placements Applied worker-1 True\nagent_placements Healthy worker-1 True\n")
	failing := fine
	failing.Failure = &agent.Failure{Revision: "2", Outcome: agent.ApplyFailed, Since: time.Unix(200, 0)}
	round(agentReport(failing), "agent_failing_since worker-1 ApplyFailed \n"+
		"agent_placements Applied worker-1 False\nagent_placements Applied worker-1 True\nagent_placements Healthy worker-1 True\n")
	if since := testutil.ToFloat64(m.agents.failing.WithLabelValues("worker-1", "", "ApplyFailed")); since != 200 {
		t.Errorf("it fails since %v", since)
	}
	failing.Failure = &agent.Failure{Revision: "2", Outcome: agent.HealthFailed, Since: time.Unix(300, 0)}
	round(agentReport(failing), "agent_failing_since worker-1 HealthFailed \n"+
		"agent_placements Applied worker-1 True\nagent_placements Healthy worker-1 False\nagent_placements Healthy worker-1 True\n")
	unread := agentReport(fine)
	unread.Deliveries[0].AppliedKnown, unread.Deliveries[0].HealthyKnown = false, false
	round(unread, "")
	round(report.Report{}, "")
	if left := testutil.CollectAndCount(m.agents.placements) + testutil.CollectAndCount(m.agents.failing); left > 0 {
		t.Errorf("%d series are left", left)
	}
}
