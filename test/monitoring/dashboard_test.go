package monitoring

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

type dashboard struct {
	Title      string
	Panels     []panel
	Templating struct {
		List []struct{ Name, Definition string }
	}
}

type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ X, Y, W, H int }
	Targets []struct{ RefID, Expr string }
}

func (p panel) overlaps(q panel) bool {
	a, b := p.GridPos, q.GridPos
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

func TestDashboardUsesExistingMetrics(t *testing.T) {
	content, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	all := series(t)
	// Grafana replaces these variables in queries.
	variables := []string{"$__rate_interval", "5m"}
	for _, v := range d.Templating.List {
		if v.Name != "datasource" {
			variables = append(variables, "$"+v.Name, ".*")
			query := strings.TrimSuffix(strings.TrimPrefix(v.Definition, "label_values("), ")")
			check(t, "variable "+v.Name, strings.ReplaceAll(query[:strings.LastIndex(query, ",")], "$instance", ".*"), all)
		}
	}
	filled := strings.NewReplacer(variables...)
	used := map[string]bool{}
	for i, p := range d.Panels {
		for _, q := range d.Panels[:i] {
			if p.ID == q.ID || p.overlaps(q) {
				t.Errorf("panels %q and %q have one id or place", q.Title, p.Title)
			}
		}
		if p.Type == "row" {
			continue
		}
		if len(p.Targets) == 0 || p.Title == "" || p.GridPos.W == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d %q asks nothing, or lies beside the page", p.ID, p.Title)
		}
		for _, target := range p.Targets {
			check(t, "panel "+p.Title, filled.Replace(target.Expr), all)
			for name := range all {
				used[name] = used[name] || strings.Contains(target.Expr, name)
			}
		}
	}
	for _, d := range []string{"findings", "placements", "queue_depth", "rounds_total", "store_errors_total", "store_up", "store_next_try_timestamp_seconds", "store_consecutive_failures", "deletions_refused", "write_files_sum"} {
		if !used["kratix_schedule_"+d] {
			t.Errorf("no panel shows %s", d)
		}
	}
}
