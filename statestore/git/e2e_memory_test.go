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

// What a process may need at most, in MiB: where the server gives single blobs,
// and where it must give all.
const (
	maxPeak    = 300
	maxPeakAll = 512
)

func TestE2EPeakMemoryOnALargeRepository(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Grow(t, repository, 200_000, 1<<30/200_000)
	for name, c := range map[string]struct {
		settings []string
		limit    int
	}{"blobs on demand": {gittest.Partial(), maxPeak}, "all blobs": {nil, maxPeakAll}} {
		t.Run(name, func(t *testing.T) {
			server := gittest.Serve(t, filepath.Dir(repository), c.settings...)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(gittest.Env(), "KRATIX_SCHEDULE_MEASURE="+server.URL+"/store.git", "KRATIX_SCHEDULE_CA="+string(server.CA))
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			peak, err := strconv.Atoi(strings.TrimSpace(string(out)))
			t.Logf("peak %d MiB", peak)
			if err != nil || peak > c.limit {
				t.Errorf("peak %s MiB, want at most %d: %v", out, c.limit, err)
			}
		})
	}
}
