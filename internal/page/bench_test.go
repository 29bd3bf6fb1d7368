package page

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/test/growth"
)

func roundWith(n int) Round {
	r := Round{Ended: time.Unix(1, 0)}
	for i := range n {
		w := testkit.Request(fmt.Sprintf("request-%06d", i), testkit.InNamespace(fmt.Sprintf("team-%03d", i/500)))
		w.Spec.PromiseName = fmt.Sprintf("promise-%02d", i%20)
		state := report.Unchanged
		if i%1000 == 0 {
			state = report.HeldBack
			r.Report.Findings = append(r.Report.Findings, finding.Finding{
				Rule: finding.DuplicateObject(), Subject: fmt.Sprintf("Namespace x%d", i/5000), Place: finding.Place{Object: kratix.Describe(w), File: "x.yaml"}, Message: "it is there already",
				Related: []finding.Related{{Place: finding.Place{Object: "Work team-000/request-000001"}}},
			})
		}
		r.Report.Placements = append(r.Report.Placements, placed(w, fmt.Sprintf("worker-%03d", i%100), state, "the only Destination that fits"))
	}
	return r
}

func TestFirstPageAfterARoundIsLinear(t *testing.T) {
	testkit.Slow(t)
	for _, target := range []string{"/", "/placements", "/placements?q=request-09", "/placements?page=20", "/problems"} {
		t.Run(target, func(t *testing.T) {
			growth.Linear(t, func(size int) func() {
				h := handler(siteOf(roundWith(size)))
				return func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, target, nil)) }
			})
		})
	}
}

// BenchmarkPages measures pages of 100,000 placements. The baseline is the report as JSON.
func BenchmarkPages(b *testing.B) {
	r := roundWith(100_000)
	b.Run("json", func(b *testing.B) {
		for b.Loop() {
			if err := report.JSON(io.Discard, report.Document{Report: r.Report}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("index", func(b *testing.B) {
		for b.Loop() {
			newIndex(r)
		}
	})
	h := handler(siteOf(r))
	for name, target := range map[string]string{"overview": "/", "list": "/placements", "search": "/placements?q=request-0999", "last": "/placements?page=2000", "problems": "/problems"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, target, nil))
			}
		})
	}
}
