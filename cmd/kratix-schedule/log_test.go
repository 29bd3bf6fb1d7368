package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/zap"
)

func TestLogIsHarmless(t *testing.T) {
	const hostile = "a\n::error::b\r\x1b[31m\u009b\u202e\u200b\u2028##[error]c\x7f"
	for _, format := range []string{"json", "console"} {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			log, _, err := logger(followFlags{logLevel: "info", logFormat: format}, streams{err: &out})
			if err != nil {
				t.Fatal(err)
			}
			log.With(zap.String("with", hostile)).Error(hostile, zap.String("work", hostile), zap.Error(errors.New(hostile)))
			log.Info("ordinary ünï")
			got := out.String()
			if lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n"); len(lines) != 2 || !strings.Contains(lines[1], "ordinary ünï") {
				t.Errorf("%d lines: %q", len(lines), got)
			}
			for _, r := range got {
				if !strconv.IsPrint(r) && r != '\n' && r != '\t' {
					t.Errorf("%U in %q", r, got)
				}
			}
			if strings.Contains(got, "##[") {
				t.Errorf("a command in %q", got)
			}
			if format == "json" {
				var entry struct{ Msg, Work, With, Error string }
				if err := json.Unmarshal([]byte(strings.Split(got, "\n")[0]), &entry); err != nil {
					t.Fatal(err)
				}
				if entry.Msg != hostile || entry.Work != hostile || entry.With != hostile || entry.Error != hostile {
					t.Errorf("read back as %q", entry)
				}
			}
		})
	}
}
