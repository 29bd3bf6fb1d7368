package storetest

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// writerURL is the environment variable with the store to which a child process writes.
const writerURL = "KRATIX_SCHEDULE_TEST_STORE"

// CrashingWriter returns the store to which this process writes, if it was started by KillWriter.
func CrashingWriter() (url string, ok bool) { return os.LookupEnv(writerURL) }

// KillWriter runs TestCrashingWriter of this test binary in a child process, and kills it when now
// receives a value.
func KillWriter(t *testing.T, url string, now <-chan struct{}) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestCrashingWriter$") //nolint:gosec // runs this test binary
	child.Env = append(os.Environ(), writerURL+"="+url)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("the writer ended by itself: %v", err)
	case <-now:
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !strings.Contains(fmt.Sprint(err), "killed") {
		t.Fatalf("the writer ended by itself: %v", err)
	}
}
