package telemetry

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func newPlacement(state report.State, work string) report.Placement {
	return report.Placement{Work: work, Directory: ".", Destination: "worker-1", State: state, Reason: "because"}
}

func storeDown(why string) finding.Finding {
	return finding.Finding{Rule: finding.StoreFailed(), Place: finding.Place{Object: "GitStateStore default"}, Message: why}
}

type listener struct {
	*EventLog
	t    *testing.T
	logs *observer.ObservedLogs
}

func newListener(t *testing.T) *listener {
	core, logs := observer.New(zap.DebugLevel)
	return &listener{EventLog: NewEventLog(zap.New(core)), t: t, logs: logs}
}

func (l *listener) checkRound(r report.Report, err error, want ...string) {
	l.t.Helper()
	l.Round(r, err)
	var messages []string
	for _, entry := range l.logs.TakeAll() {
		line := entry.Level.String() + " " + entry.Message
		if work, ok := entry.ContextMap()["work"].(string); ok {
			line += " " + work
		}
		messages = append(messages, line)
	}
	if !slices.Equal(messages, want) {
		l.t.Errorf("got %q, want %q", messages, want)
	}
}

func TestEventLogWritesChangesOnce(t *testing.T) {
	n := newListener(t)
	first := report.Report{
		Placements: []report.Placement{newPlacement(report.Placed, "a"), newPlacement(report.HeldBack, "b")},
		Findings:   []finding.Finding{storeDown("it is down")},
		Stores:     []report.Store{{Name: "GitStateStore default", Destinations: []report.Destination{{}}}},
	}
	n.checkRound(first, nil, "info placed a", "warn held back b", "info written", "error it is down")

	same := report.Report{Placements: []report.Placement{newPlacement(report.Unchanged, "a"), newPlacement(report.HeldBack, "b")}, Findings: slices.Clone(first.Findings)}
	n.checkRound(same, nil)
	n.checkRound(same, nil)
	n.checkRound(report.Report{Placements: []report.Placement{newPlacement(report.Removed, "a"), newPlacement(report.Placed, "b")}}, nil,
		"info removed a", "info placed b", "info resolved")
	n.checkRound(same, nil, "warn held back b", "error it is down")
}

func TestEventLogNamesStoresOfOtherShardsWhenThatChanges(t *testing.T) {
	n := newListener(t)
	ours, theirs := report.Store{Name: "GitStateStore a"}, report.Store{Name: "GitStateStore b", Unselected: true}
	const changed = "debug the selection of a state store has changed"
	n.checkRound(report.Report{Stores: []report.Store{ours, theirs}}, nil, changed)
	n.checkRound(report.Report{Stores: []report.Store{ours, theirs}}, nil)
	theirs.Unselected = false
	n.checkRound(report.Report{Stores: []report.Store{ours, theirs}}, nil, changed)
	n.checkRound(report.Report{Stores: []report.Store{ours, theirs}}, nil)
}

func TestEventLogRecognizesLastingPlacements(t *testing.T) {
	n := newListener(t)
	held := func(works ...string) report.Report {
		var r report.Report
		for _, work := range works {
			r.Placements = append(r.Placements, newPlacement(report.HeldBack, work))
		}
		return r
	}
	n.checkRound(held("b", "d", "f"), nil, "warn held back b", "warn held back d", "warn held back f")
	n.checkRound(held("a", "b", "c", "d", "f", "g"), nil, "warn held back a", "warn held back c", "warn held back g")
	n.checkRound(held("d", "g"), nil)
	n.checkRound(held("a", "d", "g"), nil, "warn held back a")

	changed := held("a", "d", "g")
	changed.Placements[1].Reason = "another"
	n.checkRound(changed, nil, "warn held back d")
	moved := held("a", "d", "g")
	moved.Placements[1].Reason = "another"
	moved.Placements = slices.Insert(moved.Placements, 1, moved.Placements[0])
	moved.Placements[1].Destination = "worker-2"
	n.checkRound(moved, nil, "warn held back a")
}

func TestEventLogWritesEachWriteOfAPlacement(t *testing.T) {
	n := newListener(t)
	r := report.Report{
		Placements: []report.Placement{newPlacement(report.Placed, "a"), newPlacement(report.HeldBack, "b")},
		Stores:     []report.Store{{Name: "s", Destinations: []report.Destination{{}}}},
	}
	n.checkRound(r, nil, "info placed a", "warn held back b", "info written")
	n.checkRound(r, nil, "info placed a", "info written")
}

func TestEventLogWritesAFailedRoundOnceAndKeepsItsState(t *testing.T) {
	n := newListener(t)
	standing := func() report.Report {
		return report.Report{Placements: []report.Placement{newPlacement(report.HeldBack, "b")}, Findings: []finding.Finding{storeDown("it is down")}}
	}
	n.checkRound(standing(), nil, "warn held back b", "error it is down")
	n.checkRound(report.Report{}, errors.New("no input"), "error the round failed")
	n.checkRound(report.Report{}, errors.New("no input"))
	n.checkRound(report.Report{}, errors.New("no access"), "error the round failed")
	n.checkRound(standing(), nil, "info rounds work again")
	n.checkRound(standing(), nil)
}

func TestEventLogIgnoresDigitsInErrors(t *testing.T) {
	n := newListener(t)
	down := func(why string) report.Report {
		return report.Report{Findings: []finding.Finding{storeDown(why)}}
	}
	n.checkRound(down("read tcp 10.0.0.1:40001: timeout"), nil, "error read tcp 10.0.0.1:40001: timeout")
	n.checkRound(down("read tcp 10.0.0.1:40777: timeout"), nil)
	n.checkRound(down("read tcp 10.0.0.1:40777: refused"), nil, "error read tcp 10.0.0.1:40777: refused", "info resolved")
}

func TestEventLogWritesASlowWrite(t *testing.T) {
	n := newListener(t)
	pending := report.Report{Placements: []report.Placement{newPlacement(report.Pending, "a"), newPlacement(report.Unchanged, "b")}}
	n.checkRound(pending, nil, "info being written a")
	n.checkRound(pending, nil)
	n.checkRound(report.Report{Placements: []report.Placement{newPlacement(report.Unchanged, "a"), newPlacement(report.Unchanged, "b")}}, nil, "info placed a")
}

func TestEventLogIgnoresRecreatedEqualObjects(t *testing.T) {
	n := newListener(t)
	held := newPlacement(report.HeldBack, "a")
	held.Object = &kratix.WorkPlacement{}
	n.checkRound(report.Report{Placements: []report.Placement{held}}, nil, "warn held back a")
	held.Object = &kratix.WorkPlacement{}
	n.checkRound(report.Report{Placements: []report.Placement{held}}, nil)
}

func TestEventLogWritesAHundredOfARuleAndCountsTheRest(t *testing.T) {
	broken := func(n int) (findings []finding.Finding) {
		for i := range n {
			findings = append(findings, finding.Finding{Rule: finding.UnreadableInput(), Place: finding.Place{File: fmt.Sprintf("%05d.yaml", i)}, Message: "malformed"})
		}
		return findings
	}
	lines := func(first, more string) []string { return append(slices.Repeat([]string{first}, 100), more) }
	l := newListener(t)
	l.checkRound(report.Report{Findings: broken(10_000)}, nil, lines("error malformed", "error found too")...)
	l.checkRound(report.Report{Findings: append(broken(10_001), storeDown("down"))}, nil, "error malformed", "error down")
	l.checkRound(report.Report{Findings: broken(9_900)}, nil, slices.Concat(slices.Repeat([]string{"info resolved"}, 101), []string{"info resolved too"})...)
	l.checkRound(report.Report{Findings: broken(9_900)}, nil)
	l.Round(report.Report{}, nil)
	last := l.logs.TakeAll()[100]
	if last.Message != "resolved too" || last.ContextMap()["count"] != int64(9_800) || last.ContextMap()["rule"] != "KS020" {
		t.Errorf("the rest is told as %q %v", last.Message, last.ContextMap())
	}
}
