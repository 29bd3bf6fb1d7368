//go:build e2e

package git_test

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

func TestE2EEightWritersOfTwoHundredCommits(t *testing.T) {
	repository := gittest.Bare(t)
	writeTogether(t, repository, git.Config{URL: repository}, 8, 200, 20)
}
