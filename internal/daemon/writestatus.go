package daemon

import (
	"context"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// StatusResult is the result of writing a report to the cluster.
type StatusResult struct {
	// Calls counts the accepted writes, by verb.
	Calls map[string]int
	// Refused contains findings about objects that cannot be written.
	Refused []finding.Finding
	// Retry is the delay after which the same report should be written again, or 0 if it need not
	// be.
	Retry time.Duration
	// Err is the error of the writes, or nil.
	Err error
}

// next contains the actions that are due after a round. A nil channel means that the action is not
// due.
type next struct {
	// round triggers the next round. tell triggers another write of the same report.
	round, tell <-chan time.Time
	report      report.Report
}

// writeStatus writes the report of a round to the cluster, and adds findings about refused writes
// to the report.
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
		d.publish(said, nil)
	}
	if told.Retry <= 0 {
		return next{}
	}
	return next{tell: time.After(told.Retry), report: result}
}

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

// patient returns a context for work that may continue after the process is stopped. The context
// ends d.Shutdown after the end of ctx.
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
