package apply

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/kratix-schedule/kratix-schedule/test/apiserver"
)

const page = "docs/tutorial-apply.md"

func TestTutorial(t *testing.T) {
	if _, err := os.Stat(filepath.Join(bin, "kube-apiserver")); err != nil {
		t.Fatal("bin/kube/kube-apiserver is missing: run make kube-servers")
	}
	dir := t.TempDir()
	steps, shown := tutorial(t)
	said := run(t, dir, steps)

	judge, err := NewJudge(apiserver.Start(t, bin).Admin)
	must(t, err)
	unchecked := judge.applyRoots(t, dir, "unchecked.git", "main")
	if unchecked == nil {
		t.Error("Flux applies the root without the check")
	} else {
		said += unchecked.Error() + "\n"
	}
	judge.expectDeployments(t, 0)
	if err := judge.applyRoots(t, dir, "state-store.git", "main~1"); err != nil {
		t.Errorf("with the check: %v", err)
	}
	judge.expectDeployments(t, 9)
	if err := judge.applyRoots(t, dir, "state-store.git", "main"); err != nil {
		t.Errorf("with the correction: %v", err)
	}
	judge.expectDeployments(t, 10)
	for line := range strings.Lines(shown) {
		if !strings.Contains(said, line) {
			t.Errorf("the page shows %q, which nothing prints", line)
		}
	}
	t.Log(said)
}

func tutorial(t *testing.T) (steps, shown string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../..", page))
	must(t, err)
	first := true
	for i, block := range strings.Split(string(content), "```") {
		info, text, _ := strings.Cut(block, "\n")
		switch {
		case i%2 == 0:
		case info == "text":
			shown += text
		case first:
			first = false
		default:
			steps += text
		}
	}
	return steps, shown
}

func run(t *testing.T, dir, commands string) string {
	t.Helper()
	programs := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", programs, "./cmd/kratix-schedule")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	shell := exec.CommandContext(t.Context(), "sh", "-c", commands)
	shell.Dir = dir
	shell.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "KRATIX_SCHEDULE_CONFIG=none", "GIT_CONFIG_GLOBAL=/dev/null")
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func (j *Judge) applyRoots(t *testing.T, dir, store, revision string) error {
	t.Helper()
	for _, root := range []string{"dependencies", "resources"} {
		var objects bytes.Buffer
		for _, path := range strings.Fields(git(t, dir, store, "ls-tree", "-r", "--name-only", revision, "worker-1/"+root)) {
			objects.WriteString("---\n" + git(t, dir, store, "show", revision+":"+path))
		}
		if err := j.ApplyAll(t.Context(), objects.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func git(t *testing.T, dir, repository string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", append([]string{"--git-dir", filepath.Join(dir, repository)}, args...)...)
	out, err := command.Output()
	must(t, err)
	return string(out)
}

func (j *Judge) expectDeployments(t *testing.T, want int) {
	t.Helper()
	var there appsv1.DeploymentList
	must(t, j.Client.List(t.Context(), &there, client.InNamespace("default")))
	if len(there.Items) != want {
		t.Errorf("there are %d Deployments, want %d", len(there.Items), want)
	}
}
