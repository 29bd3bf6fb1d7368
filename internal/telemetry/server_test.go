package telemetry

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func get(t *testing.T, handler http.Handler, path string) (int, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder.Code, recorder.Body.String()
}

func TestReadiness(t *testing.T) {
	works := []report.Store{{Name: "GitStateStore other"}}
	down := []finding.Finding{storeDown("it is down")}
	var s Server
	mux := s.Handler(prometheus.NewRegistry(), Admin{Level: zap.NewAtomicLevel()})
	for _, c := range []struct {
		name   string
		before func()
		status int
		text   string
	}{
		{"no round yet", func() {}, http.StatusServiceUnavailable, "no round has been done yet"},
		{"a clean round", func() { s.Round(report.Report{Stores: works}, nil, time.Time{}) }, http.StatusOK, "ready"},
		{
			"one store of two is down", func() { s.Round(report.Report{Stores: works, Findings: down}, nil, time.Time{}) },
			http.StatusOK, "GitStateStore default: it is down",
		},
		{
			"no store works", func() { s.Round(report.Report{Findings: down}, nil, time.Time{}) },
			http.StatusServiceUnavailable, "no store works\nGitStateStore default: it is down",
		},
		{"the input is gone", func() { s.Round(report.Report{}, errors.New("no input"), time.Time{}) }, http.StatusServiceUnavailable, "no input"},
	} {
		c.before()
		if status, text := get(t, mux, "/readyz"); status != c.status || !strings.Contains(text, c.text) {
			t.Errorf("%s: %d %q", c.name, status, text)
		}
		if status, _ := get(t, mux, "/healthz"); status != http.StatusOK {
			t.Errorf("%s: not alive", c.name)
		}
	}
}

func TestProfilesAreServedOnlyOnRequest(t *testing.T) {
	var s Server
	mux := s.Handler(prometheus.NewRegistry(), Admin{Level: zap.NewAtomicLevel()})
	if status, _ := get(t, mux, "/debug/pprof/"); status != http.StatusNotFound {
		t.Error("pprof is served without being asked for")
	}
	Profile(mux)
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/pprof/symbol"} {
		if status, _ := get(t, mux, path); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestLastReportIsServed(t *testing.T) {
	s := Server{Version: "v1"}
	mux := s.Handler(prometheus.NewRegistry(), Admin{Level: zap.NewAtomicLevel()})
	if status, text := get(t, mux, "/api/v1/report"); status != http.StatusServiceUnavailable || !strings.Contains(text, "no report yet") {
		t.Errorf("before a round: %d %q", status, text)
	}
	s.Round(report.Report{}, errors.New("no input"), time.Unix(50, 0))
	if status, _ := get(t, mux, "/api/v1/report"); status != http.StatusServiceUnavailable {
		t.Errorf("after a first round that failed: %d", status)
	}
	s.Round(report.Report{Placements: []report.Placement{newPlacement(report.HeldBack, "a")}, Findings: []finding.Finding{storeDown("it is down")}}, nil, time.Unix(100, 0))
	s.Round(report.Report{}, errors.New("no input"), time.Unix(200, 0))

	recorder := httptest.NewRecorder()
	mux.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/api/v1/report", nil))
	if modified := recorder.Header().Get("Last-Modified"); modified != "Thu, 01 Jan 1970 00:01:40 GMT" {
		t.Errorf("last modified %s", modified)
	}
	var got struct {
		SchemaVersion int
		Done, Version string
		Summary       struct{ Errors int }
		Findings      []struct{ Rule, Message string }
		Placements    []struct{ Work, State string }
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, recorder.Body)
	}
	if got.SchemaVersion != 1 || got.Done != "written" || got.Version != "v1" || got.Summary.Errors != 1 ||
		len(got.Findings) != 1 || got.Findings[0].Rule != "KS060" || len(got.Placements) != 1 || got.Placements[0].State != "held back" {
		t.Errorf("got %+v", got)
	}
}
