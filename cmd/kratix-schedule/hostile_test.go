package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func TestServerMessagesAndRecordNamesAreEscaped(t *testing.T) {
	const words = "no m01\n::error::x\x1b[31m\u009b2J\u202e\u2066</script><script>alert(1)</script>##[error]y"
	w := watchedWorks(t, 2, "one")
	seed := filepath.Join(t.TempDir(), "seed")
	git := func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil { //nolint:gosec // the test's own arguments
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "--quiet", "--initial-branch=main", seed)
	records := filepath.Join(seed, "worker-1", ".kratix")
	must(t, os.MkdirAll(records, 0o700))
	for _, name := range []string{"::error::a.yaml", "\x1b[31mb.yaml", "c\n::error::c.yaml", "d\u202e\u2066.yaml", "e\u009b.yaml", "<script>f.yaml", "##[error]g.yaml"} {
		must(t, os.WriteFile(filepath.Join(records, name), []byte("files: {"), 0o600))
	}
	git("-C", seed, "add", ".")
	git("-C", seed, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "records")
	git("-C", seed, "push", "--quiet", w.repository, "main")
	must(t, os.WriteFile(filepath.Join(w.repository, "words"), []byte(words+"\n"), 0o600))
	const hook = "#!/bin/sh\nwhile read -r old new ref; do ! git grep -q 'name: m01' \"$new\" || { cat words; exit 1; }; done\n"
	must(t, os.WriteFile(filepath.Join(w.repository, "hooks", "pre-receive"), []byte(hook), 0o700)) //nolint:gosec // git runs it
	commands := map[string][]string{"run": {"run", "--once", "-f", w.dir}}
	for _, format := range report.FormatNames() {
		commands[format] = []string{"plan", "-f", w.dir, "-o", format}
	}
	for name, args := range commands {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := execute(t.Context(), args, streams{out: &stdout, err: &stderr})
			got := stdout.String() + stderr.String()
			if status != exitFindings || !strings.Contains(got, "KS063") || !strings.Contains(got, "script") || name == "run" && !strings.Contains(got, "no m01") {
				t.Fatalf("it ends with %d: %s", status, got)
			}
			for _, r := range got {
				if !strconv.IsPrint(r) && r != '\n' && r != '\t' {
					t.Fatalf("%U in %q", r, got)
				}
			}
			for line := range strings.Lines(got) {
				if line = strings.TrimSpace(line); strings.HasPrefix(line, "::") && (name != "github" || !strings.Contains(line, "title=KS")) {
					t.Errorf("a command of others: %q", line)
				}
			}
			// The page has one script: the filter.
			if strings.Contains(got, "##[") || name == "html" && strings.Count(got, "<script") != 1 {
				t.Errorf("a command or a script in %q", got)
			}
		})
	}
}
