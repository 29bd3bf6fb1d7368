package kube

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/test/kube/judge"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

func (p *platform) judged(destinations ...string) judge.Verdict {
	p.t.Helper()
	var roots []string
	for _, destination := range destinations {
		roots = append(roots, judge.Roots(destination, "")...)
	}
	verdict, err := judge.New(p.repository).Walk(context.Background(), "main", roots...)
	must(p.t, err)
	p.t.Logf("%d commits judged, %d trees built, %d refused", verdict.Commits, verdict.Built, len(verdict.Refusals))
	return verdict
}

func (p *platform) fluxNeverRefuses(destinations ...string) {
	p.t.Helper()
	verdict := p.judged(destinations...)
	for _, refusal := range verdict.Refusals {
		p.t.Errorf("refused by Flux: %s", refusal)
	}
	if verdict.Built == 0 {
		p.t.Error("nothing was judged")
	}
}

func (p *platform) applyFile(file string) string {
	p.t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "testdata/elastic-cloud", file))
	must(p.t, err)
	p.apply(string(content))
	for line := range strings.Lines(string(content)) {
		if name, ok := strings.CutPrefix(line, "  name: "); ok {
			return strings.TrimSpace(name)
		}
	}
	p.t.Fatalf("%s names no Work", file)
	return ""
}

func TestKratixlikeAloneBreaksADestination(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	p.destination("worker-1", "default", "none", map[string]string{"environment": "dev"})
	p.standIn(kratixlike.Options{})
	one := p.applyFile("work-example.yaml")
	p.waitForCondition("workplacement/"+one+".worker-1-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
	before := gittest.Git(t, p.repository, "rev-parse", "main")
	p.fluxNeverRefuses("worker-1")

	two := p.applyFile("work-second-request.yaml")
	p.waitForCondition("workplacement/"+two+".worker-1-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
	broken := gittest.Git(t, p.repository, "rev-list", before+"..main")
	p.kubectl("delete", "work/"+one, "--wait=false")
	p.kubectl("wait", "--for=delete", "--timeout=90s", "work/"+one)

	verdict := p.judged("worker-1")
	if len(verdict.Refusals) != 1 || verdict.Refusals[0].Commit != broken || verdict.Refusals[0].Root != "worker-1/resources" ||
		!strings.Contains(verdict.Refusals[0].Message, "may not add resource with an already registered id: CustomResourceDefinition.") {
		t.Errorf("refused: %v; want %s with a duplicate CustomResourceDefinition", verdict.Refusals, broken)
	}
}

func TestJudgeFindsEachRefusal(t *testing.T) {
	t.Parallel()
	repository := gittest.Bare(t)
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	commit := func(files map[string]string) string {
		gittest.Commit(t, repository, "main", files)
		return gittest.Git(t, repository, "rev-parse", "main")
	}
	commit(map[string]string{"d/a.yaml": object})
	duplicate := commit(map[string]string{"d/b.yaml": object})
	elsewhere := commit(map[string]string{"README.md": "no root changes\n"})
	commit(map[string]string{"d/b.yaml": "# nothing\n"})
	// kustomize can build this file, but cannot write out its object.
	unwritable := commit(map[string]string{"d/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {1: x}\n"})
	// Because of these attributes, an archive would not contain the file.
	hidden := commit(map[string]string{"d/.gitattributes": "*.yaml export-ignore\n"})
	verdict, err := judge.New(repository).Walk(t.Context(), "main", judge.Roots("d", "none")...)
	must(t, err)
	var refused []string
	for _, refusal := range verdict.Refusals {
		refused = append(refused, refusal.Commit)
		t.Log(refusal)
	}
	if got, want := strings.Join(refused, " "), strings.Join([]string{duplicate, elsewhere, unwritable, hidden}, " "); got != want {
		t.Errorf("refused at %s, want %s", got, want)
	}
	if verdict.Commits != 6 || verdict.Built != 5 {
		t.Errorf("%d commits and %d trees, want 6 and 5", verdict.Commits, verdict.Built)
	}
}
