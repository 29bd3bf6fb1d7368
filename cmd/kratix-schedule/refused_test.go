package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestSIGHUPHasARefusedWriteTriedAgainAtOnce(t *testing.T) {
	w := watchedWorks(t, 2, "one")
	hook := filepath.Join(w.repository, "hooks", "pre-receive")
	const script = "#!/bin/sh\nwhile read -r old new ref; do ! git grep -q 'name: m01' \"$new\" || { echo 'm01 is not welcome'; exit 1; }; done\n"
	if err := os.WriteFile(hook, []byte(script), 0o700); err != nil { //nolint:gosec // git runs it
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	daemon := exec.CommandContext(t.Context(), self, "run", "-f", w.dir, "--listen=") //nolint:gosec // the test's own program
	daemon.Env, daemon.Stderr = append(os.Environ(), "KRATIX_SCHEDULE_AS_PROGRAM=1"), &w.log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	waitForOutput(t, &w.log, "m01 is not welcome")
	waitForOutput(t, &w.log, `"rule":"KS066"`)
	if got := w.placed(); got != 1 {
		t.Fatalf("%d of 2 Works are written:\n%s", got, w.log.String())
	}
	if err := os.Remove(hook); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	if got := w.placed(); got != 1 {
		t.Errorf("it is tried again without SIGHUP:\n%s", w.log.String())
	}
	if err := daemon.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); w.placed() < 2; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("SIGHUP does not have it tried again:\n%s", w.log.String())
		}
	}
	if err := daemon.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := daemon.Wait(); err != nil {
		t.Errorf("%v:\n%s", err, w.log.String())
	}
}
