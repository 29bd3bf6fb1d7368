package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/kustomize/sandbox"
)

func TestInterruptEndsACheckAndItsBuilds(t *testing.T) {
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("processes are found in /proc")
	}
	repo := t.TempDir()
	writeInput(t, filepath.Join(repo, "flux.yaml"), "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: slow}\nspec: {path: ./slow}\n")
	var many strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&many, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m%d}\n", i)
	}
	writeInput(t, filepath.Join(repo, "slow", "many.yaml"), many.String())
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			program := exec.CommandContext(t.Context(), os.Args[0], "validate", "--tree", repo)
			program.Env = append(os.Environ(), "KRATIX_SCHEDULE_AS_PROGRAM=1", "KRATIX_SCHEDULE_CONFIG=none")
			var trouble bytes.Buffer
			program.Stderr = &trouble
			if err := program.Start(); err != nil {
				t.Fatal(err)
			}
			builds := waitForBuilds(t, program.Process.Pid)
			start := time.Now()
			if err := program.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = program.Wait()
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("it ends after %s", took)
			}
			if code := program.ProcessState.ExitCode(); code != exitFailure || !strings.Contains(trouble.String(), "interrupted") {
				t.Errorf("it ends with %d: %s", code, trouble.String())
			}
			for deadline := time.Now().Add(2 * time.Second); isRunning(builds); time.Sleep(50 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("a build goes on")
				}
			}
		})
	}
}

func waitForBuilds(t *testing.T, parent int) []string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if builds := childrenOf(parent); isRunning(builds) {
			return builds
		}
	}
	t.Fatal("it builds nothing")
	return nil
}

func childrenOf(parent int) []string {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	var pids []string
	for _, task := range tasks {
		children, _ := os.ReadFile(task) //nolint:gosec // in /proc
		pids = append(pids, strings.Fields(string(children))...)
	}
	return pids
}

func isRunning(builds []string) bool {
	for _, build := range builds {
		if line, err := os.ReadFile("/proc/" + build + "/cmdline"); err == nil && bytes.Contains(line, []byte(sandbox.Argument)) { //nolint:gosec // in /proc
			return true
		}
	}
	return false
}

func TestInterruptEndsALongRound(t *testing.T) {
	testkit.Slow(t)
	const patience = 15 * time.Second // without an interrupt, the command runs for minutes
	binary, dir := program(t), t.TempDir()
	writeLargest(t, dir)
	writeInput(t, filepath.Join(dir, "platform.yaml"), `apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {name: worker-1}
spec: {path: worker-1, stateStoreRef: {kind: GitStateStore, name: default}}
---
apiVersion: platform.kratix.io/v1alpha1
kind: GitStateStore
metadata: {name: default}
spec: {url: ./store.git}
`)
	for _, row := range []struct {
		args []string
		code int
	}{
		{[]string{"validate", dir}, exitFailure},
		{[]string{"plan", "-f", dir}, exitFailure},
		{[]string{"run", "-f", dir, "--once"}, exitFailure},
		{[]string{"run", "-f", dir, "--listen="}, exitClean},
	} {
		t.Run(strings.Join(append(row.args[:1:1], row.args[2:]...), " "), func(t *testing.T) {
			command := exec.CommandContext(t.Context(), binary, row.args...)
			command.Env, command.Dir = append(os.Environ(), "GOMEMLIMIT=1GiB", "KRATIX_SCHEDULE_CONFIG=none"), t.TempDir()
			var trouble bytes.Buffer
			command.Stderr = &trouble
			must(t, command.Start())
			time.Sleep(time.Second)
			start := time.Now()
			must(t, command.Process.Signal(syscall.SIGTERM))
			_ = command.Wait()
			if took := time.Since(start); took > patience {
				t.Errorf("it ends after %s", took)
			}
			if code := command.ProcessState.ExitCode(); code != row.code || row.code == exitFailure && trouble.String() != "kratix-schedule: interrupted\n" {
				t.Errorf("it ends with %d: %s", code, trouble.String())
			}
		})
	}
}
