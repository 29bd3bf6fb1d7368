package bucket_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

const readerOf = "KRATIX_SCHEDULE_TEST_FAKE"

// TestReader is the child process whose memory is measured.
func TestReader(t *testing.T) {
	endpoint := os.Getenv(readerOf)
	if endpoint == "" {
		return
	}
	store := open(t, config(endpoint, "fake"))
	files := numbered(t, 333)
	for range 3 {
		state := storetest.Read(t, store)
		if state.Files.Len() != 100_000 {
			t.Fatalf("%d files", state.Files.Len())
		}
		if _, err := store.Apply(t.Context(), statestore.ChangeSet{Base: state.Revision, Write: files}); err != nil {
			t.Fatal(err)
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmHWM:") {
			fmt.Print(line)
		}
	}
}

func peakOf(t testing.TB, endpoint string) float64 {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestReader$") //nolint:gosec // runs this test binary
	child.Env = append(os.Environ(), readerOf+"="+endpoint)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, rest, _ := strings.Cut(string(out), "VmHWM:")
	var kilobytes float64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return kilobytes / 1024
}

func TestPeakMemoryOfALargeStore(t *testing.T) {
	const most = 150
	if raceEnabled() {
		t.Log("the race detector needs memory of its own: only the run counts")
	}
	peak := peakOf(t, buckettest.Fake(t, 100_000))
	t.Logf("%.0f MiB", peak)
	if peak > most && !raceEnabled() {
		t.Errorf("100,000 objects took %.0f MiB, more than %d", peak, most)
	}
}
