// Package telemetry turns the reports of rounds into log lines, metrics and
// HTTP answers. It only observes: nothing here decides or writes to a store.
package telemetry

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/report"
)

// Narrator logs what happens, one line a thing, and says nothing again while it
// stays the same. It is not safe for concurrent use.
type Narrator struct {
	log *zap.Logger
	// standing is what was said and still holds.
	standing map[string]bool
}

// NewNarrator makes a Narrator that writes to log.
func NewNarrator(log *zap.Logger) *Narrator {
	return &Narrator{log: log, standing: map[string]bool{}}
}

// Round tells what is new in a round's report; err is what kept the round from
// having one.
func (n *Narrator) Round(r report.Report, err error) {
	if err != nil {
		now := map[string]bool{}
		n.once(now, err.Error(), func() { n.log.Error("the round failed", zap.Error(err)) })
		n.standing = now
		return
	}
	now := map[string]bool{}
	for _, p := range r.Placements {
		n.placement(now, p)
	}
	for _, store := range r.Stores {
		if len(store.Destinations) > 0 {
			n.log.Info("written", zap.String("store", store.Name), zap.String("revision", store.Revision))
		}
	}
	for _, f := range r.Findings {
		n.finding(now, f)
	}
	n.standing = now
}

// once calls say unless the last round said the same.
func (n *Narrator) once(now map[string]bool, what string, say func()) {
	if !now[what] && !n.standing[what] {
		say()
	}
	now[what] = true
}

// placement tells of events always, and of a standing state when it begins.
func (n *Narrator) placement(now map[string]bool, p report.Placement) {
	fields := []zap.Field{zap.String("work", p.Work), zap.String("group", p.Directory)}
	if p.Destination != "" {
		fields = append(fields, zap.String("destination", p.Destination))
	}
	fields = append(fields, zap.String("reason", p.Reason))
	switch p.State {
	case report.Unchanged:
	case report.Placed, report.Removed:
		n.log.Info(string(p.State), fields...)
	default:
		key := string(p.State) + "\x00" + p.Work + "\x00" + p.Directory + "\x00" + p.Destination + "\x00" + p.Reason
		n.once(now, key, func() { n.log.Warn(string(p.State), fields...) })
	}
}

func (n *Narrator) finding(now map[string]bool, f finding.Finding) {
	key := f.Rule.ID + "\x00" + f.Place.String() + "\x00" + f.Message
	n.once(now, key, func() {
		fields := []zap.Field{zap.String("rule", f.Rule.ID), zap.String("name", f.Rule.Name), zap.String("at", f.Place.String())}
		for _, related := range f.Related {
			fields = append(fields, zap.String("with", related.Place.String()))
		}
		if f.Flux != "" {
			fields = append(fields, zap.String("flux", f.Flux))
		}
		fields = append(fields, zap.String("fix", f.Advice()))
		n.log.Log(levelOf(f.Rule.Severity), f.Message, fields...)
	})
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
