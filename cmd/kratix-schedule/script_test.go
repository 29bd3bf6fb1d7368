package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write golden files and generated documents again")

func TestMain(m *testing.M) {
	if os.Getenv("KRATIX_SCHEDULE_AS_PROGRAM") != "" {
		main() // scripts call this test binary by the program's name
	}
	testscript.Main(m, map[string]func(){"kratix-schedule": mainWithRecording})
}

func TestScripts(t *testing.T) {
	tutorial, err := filepath.Abs("../../testdata/elastic-cloud")
	if err != nil {
		t.Fatal(err)
	}
	fixture, err := filepath.Abs("../../../shared/fixtures/eck-2.8.0")
	if err != nil {
		t.Fatal(err)
	}
	servers := newServers(t)
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var begun atomic.Int64
	calls := t.TempDir()
	t.Cleanup(func() {
		if !t.Failed() && !testing.Short() && int(begun.Load()) == len(scripts) { // only if all scripts have run
			checkCoverage(t, readCalls(t, calls))
		}
	})
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "awaits": awaits},
		Condition:           func(name string) (bool, error) { return condition(fixture, name) },
		Setup: func(env *testscript.Env) error {
			begun.Add(1)
			env.Setenv(callsVariable, calls)
			env.Setenv("TUTORIAL", tutorial)
			env.Setenv("ECK", fixture)
			env.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			return servers.setup(env)
		},
	})
}

// condition implements [eck]: whether the complete output of the Elastic Cloud pipeline is beside
// the checkout.
func condition(fixture, name string) (bool, error) {
	if name != "eck" {
		return false, errors.New("unknown condition " + name)
	}
	_, err := os.Stat(fixture)
	return err == nil, nil
}

// exits runs a program and checks its exit status: "exits 1 kratix-schedule validate x".
func exits(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		ts.Fatalf("usage: exits status program [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		got = failed.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// awaits waits until a file exists: "awaits store.git/HEAD".
func awaits(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 1 {
		ts.Fatalf("usage: awaits file")
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
	}
	ts.Fatalf("%s never came", args[0])
}
