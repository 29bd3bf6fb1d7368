package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

const oddInputs = "../../kustomize/testdata/odd-inputs.txtar"

var answers = regexp.MustCompile(`(?m)^\| (.*) \| (fails|leaves it out|applies a part|applies it)(?:: .*)? \| (KS\d+)? \|$`)

func TestValidateAnswersOddInputs(t *testing.T) {
	inputs, err := txtar.ParseFile(oddInputs)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(docs + "reference/inputs.md")
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
			code := execute(t.Context(), []string{"validate", "--pipeline", dir, "--promise", "redis", "--check-apply", "off"}, streams{out: &out, err: &trouble})
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

func oddManifests(t *testing.T) string {
	t.Helper()
	inputs, err := txtar.ParseFile(oddInputs)
	must(t, err)
	var table, listing strings.Builder
	var cache kustomize.Cache
	for _, input := range inputs.Files {
		answer, rule := fluxAnswer(t, &cache, input.Data)
		fmt.Fprintf(&table, "| %s | %s | %s |\n", input.Name, answer, rule)
		fmt.Fprintf(&listing, "\n%s:\n\n```yaml\n%s```\n", strings.ToUpper(input.Name[:1])+input.Name[1:], strings.ReplaceAll(string(input.Data), "\ufeff", ""))
	}
	return "\n## Manifests\n\n" +
		"Kubernetes tools disagree about the following YAML. The table shows what Flux does with it in a file of a Work. \"Fails\" means the whole root: Flux applies " +
		"neither this file nor any other, so the placement is held back and `validate` ends with status 1. The results are computed by kustomize's library and by the steps " +
		"that Flux's kustomize-controller takes after it; `make oracle` compares them with Flux's own code. The manifests are listed [below](#the-manifests).\n\n" +
		"| Input | Flux | Rule |\n|---|---|---|\n" + table.String() + "\n## The manifests\n" + listing.String()
}

func fluxAnswer(t *testing.T, cache *kustomize.Cache, content []byte) (answer, rule string) {
	t.Helper()
	read := cache.File(content)
	if read.Err != nil {
		path, err := tree.ParsePath("file.yaml")
		must(t, err)
		return "fails: " + quoted(kustomize.Build(tree.Path{}, []tree.File{{Path: path, Content: content}}).Error()), finding.UnbuildableFile().ID
	}
	if read.Late != nil {
		return "fails: " + quoted(read.Late.Error()), finding.UnbuildableFile().ID
	}
	answer = "applies it"
	for _, object := range read.Objects {
		switch fate := object.Outcome; {
		case fate.Unwritable != "" && object.Repeats != nil:
			return "fails: " + quoted(fate.Unwritable), finding.RepeatedField().ID
		case fate.Unwritable != "":
			return "fails: " + quoted(fate.Unwritable), finding.UnwritableObject().ID
		case fate.NotApplied != "":
			answer, rule = "leaves it out: "+fate.NotApplied, finding.NotApplied().ID
		case fate.Stripped != "":
			answer, rule = "applies a part: "+fate.Stripped, finding.NotApplied().ID
		}
	}
	return answer, rule
}

func quoted(words string) string {
	return "`" + strings.ReplaceAll(strings.ReplaceAll(strings.Join(strings.Fields(words), " "), "|", "\\|"), "`", "'") + "`"
}
