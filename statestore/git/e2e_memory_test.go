//go:build e2e

package git_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

// maxPeak is the maximum memory of a process in MiB.
const maxPeak = 300

func TestE2EPeakMemoryOnALargeRepository(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Grow(t, repository, 200_000, 1<<30/200_000)
	for name, settings := range map[string][]string{"blobs on demand": gittest.Partial(), "all blobs": nil} {
		t.Run(name, func(t *testing.T) {
			server := gittest.Serve(t, filepath.Dir(repository), settings...)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(gittest.Env(), "KRATIX_SCHEDULE_MEASURE="+server.URL+"/store.git", "KRATIX_SCHEDULE_CA="+string(server.CA))
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			peak, err := strconv.Atoi(strings.TrimSpace(string(out)))
			t.Logf("peak %d MiB", peak)
			if err != nil || peak > maxPeak {
				t.Errorf("peak %s MiB, want at most %d: %v", out, maxPeak, err)
			}
		})
	}
}
