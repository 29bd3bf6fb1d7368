package monitoring

import (
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/kratix-schedule/kratix-schedule/internal/telemetry"
)

const (
	rulesFile     = "../../deploy/monitoring/alerts.yaml"
	dashboardFile = "../../deploy/monitoring/dashboard.json"
	runbook       = "../../docs/how-to/monitor.md"
	runbookURL    = "https://github.com/kratix-schedule/kratix-schedule/blob/main/docs/how-to/monitor.md#"
)

func series(t *testing.T) map[string][]string {
	t.Helper()
	registry := prometheus.NewRegistry()
	all := map[string][]string{}
	for _, d := range telemetry.NewMetrics(registry, "v1").Definitions() {
		if d.Type != "histogram" {
			all[d.Name] = d.Labels
			continue
		}
		all[d.Name+"_sum"], all[d.Name+"_count"] = d.Labels, d.Labels
		all[d.Name+"_bucket"] = append(slices.Clone(d.Labels), model.BucketLabel)
	}
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if _, there := all[family.GetName()]; !there && !strings.HasPrefix(family.GetName(), "kratix_schedule") {
			all[family.GetName()] = nil
		}
	}
	return all
}

func check(t *testing.T, where, query string, all map[string][]string) {
	t.Helper()
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		t.Errorf("%s: %v\n%s", where, err, query)
		return
	}
	found := 0
	for _, selectors := range parser.ExtractSelectors(expression) {
		found++
		name := ""
		for _, m := range selectors {
			if m.Name == model.MetricNameLabel {
				name = m.Value
			}
		}
		labels, there := all[name]
		if !there {
			t.Errorf("%s: there is no metric %q", where, name)
			continue
		}
		for _, m := range selectors {
			if !slices.Contains([]string{model.MetricNameLabel, model.InstanceLabel, model.JobLabel}, m.Name) && !slices.Contains(labels, m.Name) {
				t.Errorf("%s: %s has no label %s", where, name, m.Name)
			}
		}
	}
	if found == 0 {
		t.Errorf("%s asks for no metric", where)
	}
}

func rules(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	groups, problems := rulefmt.ParseFile(rulesFile, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	for _, problem := range problems {
		t.Error(problem)
	}
	all := map[string]rulefmt.Rule{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			if _, twice := all[rule.Alert]; twice || rule.Alert == "" {
				t.Errorf("alert %q is there twice, or has no name", rule.Alert)
			}
			all[rule.Alert] = rule
		}
	}
	return all
}

func TestPrometheusTakesTheRules(t *testing.T) {
	all := series(t)
	page, err := os.ReadFile(runbook)
	if err != nil {
		t.Fatal(err)
	}
	alerts := rules(t)
	if len(alerts) == 0 {
		t.Fatal("there are no rules")
	}
	for name, rule := range alerts {
		check(t, name, rule.Expr, all)
		if rule.For == 0 || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
			t.Errorf("%s has no duration, summary or description", name)
		}
		if severity := rule.Labels["severity"]; severity != "warning" && severity != "critical" {
			t.Errorf("%s has severity %q", name, severity)
		}
		if rule.Annotations["runbook_url"] != runbookURL+strings.ToLower(name) || strings.Count(string(page), "\n### "+name+"\n") != 1 {
			t.Errorf("%s: %s says nothing of it, or the URL is another: %s", name, runbook, rule.Annotations["runbook_url"])
		}
	}
	for line := range strings.Lines(string(page)) {
		if name, is := strings.CutPrefix(strings.TrimSpace(line), "### "); is {
			if _, there := alerts[name]; !there {
				t.Errorf("%s tells of %s, which is no alert", runbook, name)
			}
		}
	}
}
