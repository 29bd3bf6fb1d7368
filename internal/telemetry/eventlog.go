package telemetry

import (
	"iter"
	"strings"
	"unicode"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// EventLog logs the events of rounds. It is not safe for concurrent use.
type EventLog struct {
	log *zap.Logger
	// placements and findings are from the last round with a report.
	placements []report.Placement
	findings   []finding.Finding
	// unselected contains the stores that the last round left to other shards.
	unselected map[string]bool
	// failure and statusFailure are the last errors of rounds and of writing their reports, without
	// digits. They are empty without an error.
	failure, statusFailure string
}

// NewEventLog returns an EventLog that writes to log.
func NewEventLog(log *zap.Logger) *EventLog { return &EventLog{log: log} }

// Round logs the changes since the previous report. The report must not be modified afterwards. err
// is the error of a round without a report.
func (n *EventLog) Round(r report.Report, err error) {
	if err != nil {
		if steady(err.Error()) != n.failure {
			n.log.Error("the round failed", zap.Error(err))
		}
		n.failure = steady(err.Error())
		return
	}
	if n.failure != "" {
		n.log.Info("rounds work again")
		n.failure = ""
	}
	if !same(n.placements, r.Placements) || r.Changes() {
		n.logPlacements(r.Placements)
	}
	for _, store := range r.Stores {
		if len(store.Destinations) > 0 {
			n.log.Info("written", zap.String("store", store.Name), zap.String("revision", store.Revision))
		}
	}
	n.logShards(r.Stores)
	n.Findings(r.Findings)
}

// logShards logs the stores that this process has left to other shards or taken over.
func (n *EventLog) logShards(stores []report.Store) {
	unselected := map[string]bool{}
	for _, store := range stores {
		if store.Unselected {
			unselected[store.Name] = true
		}
		if was := n.unselected[store.Name]; was != store.Unselected {
			n.log.Debug("the selection of a state store has changed", zap.String("store", store.Name), zap.Bool("selected", !store.Unselected))
		}
	}
	n.unselected = unselected
}

// logPlacements logs the placements that have changed. Both lists of placements are sorted.
func (n *EventLog) logPlacements(now []report.Placement) {
	before := n.placements
	n.placements = now
	for i := range now {
		p := &now[i]
		for len(before) > 0 && report.ComparePlacements(before[0], *p) < 0 {
			before = before[1:]
		}
		switch {
		case p.State == report.Unchanged:
			if waited(before, *p) {
				n.log.Info(string(report.Placed), fieldsOf(p)...)
			}
		case p.State == report.Placed:
			n.log.Info(string(p.State), fieldsOf(p)...)
		case p.State == report.Removed || p.State == report.Pending || p.State == report.Rehearsed:
			if !lasts(before, *p) {
				n.log.Info(string(p.State), fieldsOf(p)...)
			}
		case !lasts(before, *p):
			n.log.Warn(string(p.State), fieldsOf(p)...)
		}
	}
}

// lasts reports whether a placement has not changed since the previous round. before contains the
// placements of that round, without those that sort before p.
func lasts(before []report.Placement, p report.Placement) bool {
	for _, was := range before {
		if was.Object = p.Object; was == p { // a new Go object is no change
			return true
		}
		if report.ComparePlacements(was, p) != 0 {
			return false
		}
	}
	return false
}

// waited reports whether the write of a placement was still in progress in the previous round.
func waited(before []report.Placement, p report.Placement) bool {
	return len(before) > 0 && report.ComparePlacements(before[0], p) == 0 && before[0].State == report.Pending
}

func fieldsOf(p *report.Placement) []zap.Field {
	fields := []zap.Field{zap.String("work", p.Work), zap.String("group", p.Directory)}
	if p.Destination != "" {
		fields = append(fields, zap.String("destination", p.Destination))
	}
	return append(fields, zap.String("reason", p.Reason))
}

// Findings logs new findings and resolved errors. The list must be sorted by finding.Compare, and
// must not be modified afterwards.
func (n *EventLog) Findings(findings []finding.Finding) {
	if same(n.findings, findings) {
		return
	}
	begun, over := changedFindings(n.findings, findings)
	n.findings = findings
	found, resolved := crowd{}, crowd{}
	for f := range n.fold(begun) {
		if n.lists(f) || found.takes(f.Rule) {
			n.log.Log(levelOf(f.Rule.Severity), f.Message, fieldsOfFinding(f)...)
		}
	}
	for f := range n.fold(over) {
		if n.lists(f) || resolved.takes(f.Rule) {
			n.log.Info("resolved", zap.String("rule", f.Rule.ID), zap.String("at", f.Place.String()), zap.String("was", f.Message))
		}
	}
	n.logRemaining("found too", found, levelOf)
	n.logRemaining("resolved too", resolved, func(finding.Severity) zapcore.Level { return zapcore.InfoLevel })
}

func (n *EventLog) debugs() bool { return n.log.Core().Enabled(zapcore.DebugLevel) }

// fold merges similar findings and conflicts, unless the log level is debug.
func (n *EventLog) fold(findings []*finding.Finding) iter.Seq[finding.Finding] {
	all := func(yield func(finding.Finding) bool) {
		for _, f := range findings {
			if !yield(*f) {
				return
			}
		}
	}
	if n.debugs() {
		return all
	}
	return finding.FoldConflicts(finding.Fold(all))
}

// lists reports whether a finding is logged regardless of the number of similar findings.
func (n *EventLog) lists(f finding.Finding) bool { return n.debugs() && finding.Folds(f) }

// mostLines is the maximum number of findings of a rule that a round logs individually.
const mostLines = 100

type crowd map[finding.Rule]int

// takes counts a finding and reports whether it is logged individually.
func (c crowd) takes(rule finding.Rule) bool {
	c[rule]++
	return c[rule] <= mostLines
}

// logRemaining logs the number of findings of each rule that were not logged individually.
func (n *EventLog) logRemaining(message string, all crowd, level func(finding.Severity) zapcore.Level) {
	for _, rule := range finding.Rules() {
		if more := all[rule] - mostLines; more > 0 {
			n.log.Log(level(rule.Severity), message, zap.String("rule", rule.ID), zap.String("name", rule.Name), zap.Int("count", more))
		}
	}
}

// steady returns the text of an error without its digits, which may differ each time.
func steady(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, text)
}

func fieldsOfFinding(f finding.Finding) []zap.Field {
	fields := []zap.Field{zap.String("rule", f.Rule.ID), zap.String("name", f.Rule.Name), zap.String("at", f.Place.String())}
	for _, related := range f.Related {
		fields = append(fields, zap.String("with", related.Place.String()))
	}
	if f.Flux != "" {
		fields = append(fields, zap.String("flux", f.Flux))
	}
	return append(fields, zap.String("fix", f.Advice()))
}

func levelOf(s finding.Severity) zapcore.Level {
	switch s {
	case finding.Error:
		return zapcore.ErrorLevel
	case finding.Warning:
		return zapcore.WarnLevel
	}
	return zapcore.InfoLevel
}

// StatusWritten logs the error of writing a report to the cluster, unless it is the same as before.
// A nil error means success.
func (n *EventLog) StatusWritten(err error) {
	switch {
	case err == nil && n.statusFailure != "":
		n.log.Info("the status is written to the cluster again")
		n.statusFailure = ""
	case err != nil && steady(err.Error()) != n.statusFailure:
		n.log.Error("the status could not be written to the cluster", zap.Error(err))
		n.statusFailure = steady(err.Error())
	}
}
