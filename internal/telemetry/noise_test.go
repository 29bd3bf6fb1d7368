package telemetry_test

import (
	"fmt"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/telemetry"
)

func TestNoiseIsFoldedIntoOneLine(t *testing.T) {
	var noise []finding.Finding
	for i := range 1000 {
		noise = append(noise, finding.Finding{
			Rule: finding.UnreadableInput(), Cause: finding.NoObject, Message: "it is not a Kubernetes object: kind is missing",
			Place: finding.Place{File: fmt.Sprintf("%04d.yaml", i), Line: 1},
		})
	}
	for level, lines := range map[zapcore.Level]int{zapcore.InfoLevel: 1, zapcore.DebugLevel: 1000} {
		core, logged := observer.New(level)
		events := telemetry.NewEventLog(zap.New(core))
		events.Round(report.Report{Findings: noise}, nil)
		first := logged.TakeAll()
		if len(first) != lines {
			t.Fatalf("%s: %d lines, want %d", level, len(first), lines)
		}
		if lines == 1 && first[0].Message != "1,000 files are not Kubernetes objects; -v lists them" {
			t.Errorf("got %q", first[0].Message)
		}
		events.Round(report.Report{Findings: noise}, nil)
		if again := logged.TakeAll(); len(again) != 0 {
			t.Errorf("%s: %d lines about what stays", level, len(again))
		}
		events.Round(report.Report{}, nil)
		if over := logged.TakeAll(); len(over) != lines {
			t.Errorf("%s: %d lines about what is over, want %d", level, len(over), lines)
		}
	}
}
