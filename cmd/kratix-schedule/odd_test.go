package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// answers are the rows of docs/reference/odd-inputs.md.
var answers = regexp.MustCompile(`(?m)^\| (.*) \| (fails|leaves it out|applies a part|applies it)(?:: .*)? \| (KS\d+)? \|$`)

// TestValidateAnswersOddInputs has validate check each odd input as a pipeline's
// output: it must say what docs/reference/odd-inputs.md says, and end with 1 when
// Flux would fail.
func TestValidateAnswersOddInputs(t *testing.T) {
	inputs, err := txtar.ParseFile("../../kustomize/testdata/odd-inputs.txtar")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/reference/odd-inputs.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for _, row := range answers.FindAllStringSubmatch(string(page), -1) {
		rows[row[1]] = row[2:]
	}
	t.Setenv("KRATIX_SCHEDULE_CONFIG", "none")
	for _, input := range inputs.Files {
		t.Run(input.Name, func(t *testing.T) {
			row := rows[input.Name]
			if row == nil {
				t.Fatal("the page has no answer")
			}
			dir := t.TempDir()
			writeInput(t, filepath.Join(dir, "input", "object.yaml"), "apiVersion: example.org/v1\nkind: redis\nmetadata: {name: cache, namespace: default}\n")
			writeInput(t, filepath.Join(dir, "output", "file.yaml"), string(input.Data))
			var out, trouble strings.Builder
			code := execute(t.Context(), []string{"validate", "--pipeline", dir, "--promise", "redis"}, streams{out: &out, err: &trouble})
			want := map[string]int{"fails": exitFindings}[row[0]]
			if code != want || row[1] == "" != strings.Contains(out.String(), "; no findings") || !strings.Contains(out.String(), row[1]) {
				t.Errorf("it ends with %d, and the page says %q\n%s%s", code, row, out.String(), trouble.String())
			}
			if strings.Contains(out.String(), "\n  Flux  ") != (row[0] == "fails") {
				t.Errorf("Flux is quoted, or is not:\n%s", out.String())
			}
		})
	}
}

func writeInput(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
