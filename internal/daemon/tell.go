package daemon

import (
	"context"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// Told is what came of passing a round's report on.
type Told struct {
	// Calls counts the writes that were taken, by verb.
	Calls map[string]int
	// Refused has a finding for each object that cannot be written.
	Refused []finding.Finding
	// Retry is how soon it is worth passing the same report on once more; 0 if there is
	// nothing left to do.
	Retry time.Duration
	// Err is why nothing could be passed on, or not all of it.
	Err error
}

// next says what is due by itself after a round; a nil channel is nothing.
type next struct {
	// round is the next round, tell the same report passed on once more.
	round, tell <-chan time.Time
	// report is what is passed on then.
	report report.Report
}

// tell passes a round's report on, and reports what is refused as findings of the
// round. What can be passed on later needs no round: all that a round depends on asks
// for one by itself.
func (d *Daemon) tell(ctx context.Context, result report.Report) next {
	if d.Tell == nil {
		return next{}
	}
	told := d.Tell(ctx, result)
	d.metrics.Told(told.Calls)
	d.narrator.Told(told.Err)
	if !slices.EqualFunc(d.refused, told.Refused, sameFinding) {
		d.refused = told.Refused
		said := d.withRefused(result)
		d.narrator.Findings(said.Findings)
		d.server.Round(said, nil, d.Now())
	}
	if told.Retry <= 0 {
		return next{}
	}
	return next{tell: time.After(told.Retry), report: result}
}

// withRefused returns a report that also has what is refused.
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

// patient returns a context for what may go on when the process is asked to stop: it
// ends when Shutdown has passed since then. All that is in hand shares that time.
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
