package git_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestLogFetchesCommitsWithoutFiles(t *testing.T) {
	repository := gittest.Bare(t)
	const commits = 70
	gittest.Commit(t, repository, "main", map[string]string{"big": noise(100_000), "d/a": "x"})
	head := gittest.Git(t, repository, "rev-parse", "refs/heads/main")
	for i := 1; i < commits; i++ {
		head = gittest.Git(t, repository, "commit-tree", head+"^{tree}", "-p", head, "-m", fmt.Sprint("commit ", i))
	}
	gittest.Git(t, repository, "update-ref", "refs/heads/main", head)
	var count counter
	log, err := open(t, intercepted(t, repository, count.count, gittest.Partial()...)).Log(t.Context(), 1000)
	if err != nil || len(log.Entries) != commits || log.More {
		t.Errorf("%d entries, more %t, %v", len(log.Entries), log.More, err)
	}
	if received := count.bytes.Load(); received > 20_000 || count.fetches.Load() != 1 {
		t.Errorf("%d bytes in %d fetches", received, count.fetches.Load())
	}
	if first := log.Entries[commits-1]; first.Parent != "" || first.Author != "stranger <stranger@example.com>" || first.Time.IsZero() || first.Message == "" {
		t.Errorf("%+v", first)
	}
	log, err = open(t, served(t, repository)).Log(t.Context(), 1000)
	if err != nil || len(log.Entries) != 64 || !log.More {
		t.Errorf("%d entries, more %t, %v", len(log.Entries), log.More, err)
	}
}

func TestLogOfMissingRepositoryIsEmpty(t *testing.T) {
	log, err := open(t, git.Config{URL: t.TempDir() + "/missing.git"}).Log(t.Context(), 10)
	if err != nil || len(log.Entries) != 0 || log.More {
		t.Errorf("%+v, %v", log, err)
	}
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "other", map[string]string{"a": "1"})
	if _, err := open(t, git.Config{URL: repository}).Log(t.Context(), 10); err == nil || !strings.Contains(err.Error(), "branch") {
		t.Error(err)
	}
}

func TestLargeMessagesAreNotRead(t *testing.T) {
	repository := gittest.Bare(t)
	store := open(t, git.Config{URL: repository})
	storetest.Write(t, store, map[string]string{"a": "1"})
	head := gittest.Git(t, repository, "rev-parse", "refs/heads/main")
	message := filepath.Join(t.TempDir(), "message")
	if err := os.WriteFile(message, bytes.Repeat([]byte("x"), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	commit := gittest.Git(t, repository, "commit-tree", head+"^{tree}", "-p", head, "-F", message)
	gittest.Git(t, repository, "update-ref", "refs/heads/main", commit)
	log, err := statestore.ReadLog(t.Context(), store, 10)
	if err != nil || len(log.Entries) != 2 || log.Entries[0].Message != "" || log.Entries[1].Message == "" {
		t.Errorf("%d entries, %v", len(log.Entries), err)
	}
}
