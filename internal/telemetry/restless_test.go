package telemetry

import (
	"strconv"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// writes returns a report with one placement of a Work, with the given content and state.
func writes(work, content string, state report.State) report.Report {
	p := placed(state, work)
	p.Object = &kratix.WorkPlacement{Spec: kratix.WorkPlacementSpec{Workloads: []kratix.Workload{{Filepath: "a.yaml", Content: content}}}}
	return report.Report{Placements: []report.Placement{p}}
}

// clock is a clock that the test sets.
type clock struct{ time.Time }

func (c *clock) after(d time.Duration) time.Time {
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
				if r := restless.Round(writes("default/a", strconv.Itoa(i), report.Placed), now.after(every)); len(r.Findings) > 0 {
					t.Fatalf("told after %d changes: %v", i+1, r.Findings)
				}
			}
			r := restless.Round(writes("default/a", "19", report.Pending), now.after(every))
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
			writes("default/moved", "same", report.Placed), writes("default/held", strconv.Itoa(i), report.HeldBack), writes("default/still", "same", report.Unchanged),
			{Placements: []report.Placement{placed(report.Placed, "default/without")}},
		}[i%4]
		if r := restless.Round(work, now.after(time.Second)); len(r.Findings) > 0 {
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
		if r := restless.Round(writes("default/a", strconv.Itoa(i), report.Placed), now.after(pause)); len(r.Findings) > 0 {
			t.Fatalf("told after %d edits: %v", i+1, r.Findings)
		}
	}
}

// TestRestlessWorkIsReportedRarely checks that a Work that changes for a long time causes only a
// few different messages.
func TestRestlessWorkIsReportedRarely(t *testing.T) {
	var restless Restless
	now := newClock()
	said := map[string]bool{}
	for i := range 10_000 {
		r := restless.Round(writes("default/a", strconv.Itoa(i), report.Placed), now.after(time.Second))
		for _, f := range r.Findings {
			said[f.Message] = true
		}
		again := restless.Round(report.Report{Findings: nil}, now.Time)
		if len(r.Findings) > 0 && !same(r.Findings, again.Findings) {
			t.Fatal("what has not changed is another in memory")
		}
	}
	if len(said) != 9 { // after 20, 40, ... 5120 changes
		t.Errorf("it is told in %d ways", len(said))
	}
	if r := restless.Round(report.Report{}, now.after(11*time.Minute)); len(r.Findings) > 0 || len(restless.groups) > 0 {
		t.Errorf("after ten quiet minutes: %v, %d are remembered", r.Findings, len(restless.groups))
	}
}

func TestFindingsOfARestlessWorkAreAddedInOrder(t *testing.T) {
	var restless Restless
	now := newClock()
	var r report.Report
	before := []finding.Finding{{Rule: finding.StoreFailed()}, {Rule: finding.BadRecord()}}
	for i := range 20 {
		in := writes("default/a", strconv.Itoa(i), report.Placed)
		in.Findings = before
		r = restless.Round(in, now.after(time.Second))
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
		if r := restless.Round(writes("default/a", strconv.Itoa(i/2), report.Placed), now.after(jump)); len(r.Findings) > 0 && i < 20 {
			t.Fatalf("findings %v", r.Findings)
		}
	}
	now.after(-48 * time.Hour)
	restless.Round(writes("default/b", "1", report.Placed), now.after(time.Second))
	if restless.Round(report.Report{}, now.after(96*time.Hour)); len(restless.groups) > 0 {
		t.Errorf("%d are remembered for ever", len(restless.groups))
	}
}
