package telemetry

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/report"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

func placed(state report.State, work string) report.Placement {
	return report.Placement{Work: work, Directory: ".", Destination: "worker-1", State: state, Reason: "because"}
}

func storeDown() finding.Finding {
	return finding.Finding{Rule: finding.StoreFailed(), Place: finding.Place{Object: "GitStateStore default"}, Message: "it is down"}
}

func TestNarratorTellsWhatIsNewAndNothingTwice(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	n := NewNarrator(zap.New(core))
	said := func() []string {
		var lines []string
		for _, entry := range logs.TakeAll() {
			lines = append(lines, entry.Level.String()+" "+entry.Message)
		}
		return lines
	}
	expect := func(want ...string) {
		t.Helper()
		if got := said(); !slices.Equal(got, want) {
			t.Errorf("said %q, want %q", got, want)
		}
	}
	first := report.Report{
		Placements: []report.Placement{placed(report.Placed, "a"), placed(report.Held, "b")},
		Findings:   []finding.Finding{storeDown()},
		Stores:     []report.Store{{Name: "GitStateStore default", Destinations: []report.Destination{{}}}},
	}
	n.Round(first, nil)
	expect("info placed", "warn held back", "info written", "error it is down")

	same := report.Report{Placements: []report.Placement{placed(report.Unchanged, "a"), placed(report.Held, "b")}, Findings: first.Findings}
	n.Round(same, nil)
	expect()

	n.Round(report.Report{Placements: []report.Placement{placed(report.Removed, "a"), placed(report.Placed, "b")}}, nil)
	expect("info removed", "info placed")
	n.Round(same, nil)
	expect("warn held back", "error it is down")

	broken := errors.New("no input")
	n.Round(report.Report{}, broken)
	n.Round(report.Report{}, broken)
	expect("error the round failed")
}

func page(t *testing.T, handler http.Handler, path string) (int, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder.Code, recorder.Body.String()
}

func TestReadiness(t *testing.T) {
	works := []report.Store{{Name: "GitStateStore other"}}
	var s Server
	mux := s.Handler(prometheus.NewRegistry(), zap.NewAtomicLevel())
	for _, c := range []struct {
		name   string
		before func()
		status int
		text   string
	}{
		{"no round yet", func() {}, http.StatusServiceUnavailable, "no round has been done yet"},
		{"a clean round", func() { s.Round(report.Report{Stores: works}, nil, time.Time{}) }, http.StatusOK, "ready"},
		{
			"one store of two is down", func() {
				s.Round(report.Report{Stores: works, Findings: []finding.Finding{storeDown()}}, nil, time.Time{})
			},
			http.StatusOK, "GitStateStore default: it is down",
		},
		{
			"no store works", func() { s.Round(report.Report{Findings: []finding.Finding{storeDown()}}, nil, time.Time{}) },
			http.StatusServiceUnavailable, "no store works\nGitStateStore default: it is down",
		},
		{"the input is gone", func() { s.Round(report.Report{}, errors.New("no input"), time.Time{}) }, http.StatusServiceUnavailable, "no input"},
	} {
		c.before()
		if status, text := page(t, mux, "/readyz"); status != c.status || !strings.Contains(text, c.text) {
			t.Errorf("%s: %d %q", c.name, status, text)
		}
		if status, _ := page(t, mux, "/healthz"); status != http.StatusOK {
			t.Errorf("%s: not alive", c.name)
		}
	}
	if status, _ := page(t, mux, "/debug/pprof/"); status != http.StatusNotFound {
		t.Error("pprof is served without being asked for")
	}
	Profile(mux)
	if status, _ := page(t, mux, "/debug/pprof/"); status != http.StatusOK {
		t.Error("pprof is not served")
	}
}

func TestLogLevelIsChangedAtRunTime(t *testing.T) {
	level := zap.NewAtomicLevel()
	var s Server
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPut, "/log-level", strings.NewReader(`{"level":"debug"}`))
	s.Handler(prometheus.NewRegistry(), level).ServeHTTP(recorder, request)
	if level.Level() != zap.DebugLevel {
		t.Errorf("%d %s: the level is %s", recorder.Code, recorder.Body, level.Level())
	}
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry)
	path, err := tree.ParsePath("a")
	if err != nil {
		t.Fatal(err)
	}
	m.Round(report.Report{
		Placements: []report.Placement{placed(report.Placed, "a"), placed(report.Placed, "b"), placed(report.Held, "c")},
		Findings:   []finding.Finding{storeDown(), storeDown()},
		Stores:     []report.Store{{Name: "s", Destinations: []report.Destination{{Added: []tree.Path{path, path}, Removed: []tree.Path{path}}}}, {Name: "quiet"}},
	}, nil, time.Unix(100, 0), time.Second)
	m.Round(report.Report{Placements: []report.Placement{placed(report.Unchanged, "a")}}, nil, time.Unix(200, 0), time.Second)
	m.Round(report.Report{}, errors.New("no"), time.Unix(300, 0), time.Second)

	var s Server
	_, text := page(t, s.Handler(registry, zap.NewAtomicLevel()), "/metrics")
	for _, want := range []string{
		`kratix_schedule_rounds_total{result="clean"} 1`,
		`kratix_schedule_rounds_total{result="findings"} 1`,
		`kratix_schedule_rounds_total{result="failed"} 1`,
		`kratix_schedule_placements{state="unchanged"} 1`,
		`kratix_schedule_writes_total{store="s"} 1`,
		`kratix_schedule_write_files_sum{store="s"} 3`,
		`kratix_schedule_last_round_timestamp_seconds 300`,
		`kratix_schedule_round_duration_seconds_count 3`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	for _, gone := range []string{`state="held back"`, `rule="KS060"`, `store="quiet"`} {
		if strings.Contains(text, gone) {
			t.Errorf("still there: %s", gone)
		}
	}
}
