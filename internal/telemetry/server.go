package telemetry

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// Server serves the state of the last round, the metrics and the log level.
type Server struct {
	// Version is the version of the program.
	Version string

	last    atomic.Pointer[round]
	standby atomic.Bool
}

// Standby marks the process as ready before its first round, because another replica leads.
func (s *Server) Standby() { s.standby.Store(true) }

// round is the last report, with the error of a later round.
type round struct {
	report report.Report
	// ended is the end of the round of the report, or zero before there is a report.
	ended time.Time
	// err is the error of the last round, if it has no report.
	err error
}

// Round stores the result of a round. After a failed round, the previous report remains.
func (s *Server) Round(r report.Report, err error, ended time.Time) {
	now := &round{report: r, ended: ended, err: err}
	if before := s.last.Load(); err != nil {
		now.report, now.ended = report.Report{}, time.Time{}
		if before != nil {
			now.report, now.ended = before.report, before.ended
		}
	}
	s.last.Store(now)
}

// Handler returns the handler of all endpoints.
func (s *Server) Handler(metrics prometheus.Gatherer, admin Admin) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /api/v1/report", s.report)
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.Handle("GET /log-level", admin.Level)
	mux.Handle("PUT /log-level", admin)
	return mux
}

// Profile adds the endpoints of net/http/pprof, which reveal details of the process.
func Profile(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

// ready responds with the readiness of the process, and with the reason if the process is not
// ready.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	last := s.last.Load()
	switch {
	case last == nil && s.standby.Load():
		answer(w, http.StatusOK, "ready: another replica leads")
	case last == nil:
		answer(w, http.StatusServiceUnavailable, "not ready: no round has been done yet")
	case last.err != nil:
		answer(w, http.StatusServiceUnavailable, "not ready: "+printable.Line(last.err.Error()))
	default:
		var down, beside string
		for _, f := range last.report.Findings {
			switch f.Rule {
			case finding.StoreFailed():
				down += "\n" + printable.Line(f.Place.String()+": "+f.Message)
			case finding.PolicyNotInForce(), finding.PolicyDeniesSelf(), finding.OtherScheduler():
				beside = f.Message
			}
		}
		if beside != "" {
			answer(w, http.StatusServiceUnavailable, "not ready: "+printable.Line(beside))
			return
		}
		if down != "" && len(last.report.Stores) == 0 {
			answer(w, http.StatusServiceUnavailable, "not ready: no store works"+down)
			return
		}
		answer(w, http.StatusOK, "ready"+down)
	}
}

func (s *Server) report(w http.ResponseWriter, _ *http.Request) {
	last := s.last.Load()
	if last == nil || last.ended.IsZero() {
		answer(w, http.StatusServiceUnavailable, "there is no report yet")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Last-Modified", last.ended.UTC().Format(http.TimeFormat))
	document := report.Document{Report: last.report, Done: report.Written, Version: s.Version, Tally: report.Count(last.report.Findings)}
	_ = report.JSON(w, document) // the client may have disconnected
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, printable.Lines(text)) // the client may have disconnected
}
