package telemetry

import (
	"strconv"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func reportWithContent(work, content string, state report.State) report.Report {
	p := newPlacement(state, work)
	p.Object = &kratix.WorkPlacement{Spec: kratix.WorkPlacementSpec{Workloads: []kratix.Workload{{Filepath: "a.yaml", Content: content}}}}
	return report.Report{Placements: []report.Placement{p}}
}

type clock struct{ time.Time }

func (c *clock) advance(d time.Duration) time.Time {
	c.Time = c.Add(d)
	return c.Time
}

func newClock() *clock { return &clock{time.Unix(1_700_000_000, 0)} }

func TestWorkThatChangesInEveryRoundIsReported(t *testing.T) {
	for every, took := range map[time.Duration]string{2 * time.Second: "38s", 20 * time.Second: "6m", 5 * time.Minute: "1h40m"} {
		t.Run(every.String(), func(t *testing.T) {
			var restless Restless
			now := newClock()
			for i := range 19 {
				if r := restless.Round(reportWithContent("default/a", strconv.Itoa(i), report.Placed), now.advance(every)); len(r.Findings) > 0 {
					t.Fatalf("reported after %d changes: %v", i+1, r.Findings)
				}
			}
			r := restless.Round(reportWithContent("default/a", "19", report.Pending), now.advance(every))
			want := "what it brings has changed 20 times in " + took + ", and was written each time"
			if len(r.Findings) != 1 || r.Findings[0].Rule != finding.RestlessWork() || r.Findings[0].Place.Object != "Work default/a" || r.Findings[0].Message != want {
				t.Errorf("findings %v", r.Findings)
			}
		})
	}
}

func TestOnlyContentChangesAreCounted(t *testing.T) {
	var restless Restless
	now := newClock()
	for i := range 200 {
		work := []report.Report{
			reportWithContent("default/moved", "same", report.Placed), reportWithContent("default/held", strconv.Itoa(i), report.HeldBack), reportWithContent("default/still", "same", report.Unchanged),
			{Placements: []report.Placement{newPlacement(report.Placed, "default/without")}},
		}[i%4]
		if r := restless.Round(work, now.advance(time.Second)); len(r.Findings) > 0 {
			t.Fatalf("findings %v", r.Findings)
		}
	}
}

func TestManualEditsAreNotRestless(t *testing.T) {
	var restless Restless
	now := newClock()
	for i := range 200 { // many edits with short pauses, and a longer pause after each 15 edits
		pause := time.Minute
		if i%15 == 0 {
			pause = 11 * time.Minute
		}
		if r := restless.Round(reportWithContent("default/a", strconv.Itoa(i), report.Placed), now.advance(pause)); len(r.Findings) > 0 {
			t.Fatalf("reported after %d edits: %v", i+1, r.Findings)
		}
	}
}

func TestRestlessWorkIsReportedRarely(t *testing.T) {
	var restless Restless
	now := newClock()
	messages := map[string]bool{}
	for i := range 10_000 {
		r := restless.Round(reportWithContent("default/a", strconv.Itoa(i), report.Placed), now.advance(time.Second))
		for _, f := range r.Findings {
			messages[f.Message] = true
		}
		again := restless.Round(report.Report{Findings: nil}, now.Time)
		if len(r.Findings) > 0 && !same(r.Findings, again.Findings) {
			t.Fatal("what has not changed is another in memory")
		}
	}
	if len(messages) != 9 { // after 20, 40, ... 5120 changes
		t.Errorf("got messages in %d ways", len(messages))
	}
	if r := restless.Round(report.Report{}, now.advance(11*time.Minute)); len(r.Findings) > 0 || len(restless.groups) > 0 {
		t.Errorf("after ten quiet minutes: %v, %d are remembered", r.Findings, len(restless.groups))
	}
}

func TestFindingsOfARestlessWorkAreAddedInOrder(t *testing.T) {
	var restless Restless
	now := newClock()
	var r report.Report
	before := []finding.Finding{{Rule: finding.StoreFailed()}, {Rule: finding.BadRecord()}}
	for i := range 20 {
		in := reportWithContent("default/a", strconv.Itoa(i), report.Placed)
		in.Findings = before
		r = restless.Round(in, now.advance(time.Second))
	}
	if len(before) != 2 || len(r.Findings) != 3 || r.Findings[1].Rule != finding.RestlessWork() {
		t.Errorf("findings %v of %v", r.Findings, before)
	}
}

func TestClockJumpsDoNotMarkWorksRestless(t *testing.T) {
	var restless Restless
	now := newClock()
	for i := range 100 {
		jump := []time.Duration{time.Second, -24 * time.Hour, 48 * time.Hour, time.Second}[i%4]
		if r := restless.Round(reportWithContent("default/a", strconv.Itoa(i/2), report.Placed), now.advance(jump)); len(r.Findings) > 0 && i < 20 {
			t.Fatalf("findings %v", r.Findings)
		}
	}
	now.advance(-48 * time.Hour)
	restless.Round(reportWithContent("default/b", "1", report.Placed), now.advance(time.Second))
	if restless.Round(report.Report{}, now.advance(96*time.Hour)); len(restless.groups) > 0 {
		t.Errorf("%d are remembered for ever", len(restless.groups))
	}
}
