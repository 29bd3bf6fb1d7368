package daemon

import (
	"context"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// StatusResult is the result of writing a round's report to the cluster.
type StatusResult struct {
	// Calls counts the accepted writes, by verb.
	Calls map[string]int
	// Refused has a finding for each object that cannot be written.
	Refused []finding.Finding
	// Retry is the delay after which the same report should be written again; 0 if nothing is
	// left to do.
	Retry time.Duration
	// Err is the reason why nothing could be written, or not everything.
	Err error
}

// next has the actions that are due after a round; a nil channel means none.
type next struct {
	// round starts the next round; tell writes the same report again.
	round, tell <-chan time.Time
	// report is the report for tell.
	report report.Report
}

// writeStatus writes a round's report to the cluster, and adds refused writes to the findings. A
// retry needs no round, because every input of a round triggers one by itself.
func (d *Daemon) writeStatus(ctx context.Context, result report.Report) next {
	if d.WriteStatus == nil {
		return next{}
	}
	told := d.WriteStatus(ctx, result)
	d.metrics.CountStatusWrites(told.Calls)
	d.events.StatusWritten(told.Err)
	if !slices.EqualFunc(d.refused, told.Refused, sameFinding) {
		d.refused = told.Refused
		said := d.withRefused(result)
		d.events.Findings(said.Findings)
		d.server.Round(said, nil, d.Now())
	}
	if told.Retry <= 0 {
		return next{}
	}
	return next{tell: time.After(told.Retry), report: result}
}

// withRefused returns a report with the findings about refused writes added.
func (d *Daemon) withRefused(result report.Report) report.Report {
	if len(d.refused) > 0 {
		result.Findings = slices.Concat(result.Findings, d.refused)
		finding.Sort(result.Findings)
	}
	return result
}

func sameFinding(a, b finding.Finding) bool {
	return a.Rule == b.Rule && a.Place == b.Place && a.Message == b.Message
}

// patient returns a context for work that may continue after the process is stopped: it ends
// when Shutdown has passed since then. All work in progress shares that time.
func (d *Daemon) patient(ctx context.Context) (context.Context, func()) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() {
		late := time.NewTimer(d.Shutdown)
		defer late.Stop()
		select {
		case <-late.C:
			cancel()
		case <-patient.Done():
		}
	})
	return patient, func() {
		forget()
		cancel()
	}
}
