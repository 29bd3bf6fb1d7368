//go:build e2e

package git_test

import (
	"flag"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

var commits = flag.Int("commits", 25, "how many commits each of the eight writers makes")

func TestE2EEightWritersLoseNothing(t *testing.T) {
	repository := gittest.Bare(t)
	writeTogether(t, repository, git.Config{URL: repository}, 8, *commits, max(*commits/10, 1))
}
