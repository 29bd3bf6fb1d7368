package git_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// TestRepositoryOnAFullDisk needs the permission to mount a file system.
func TestRepositoryOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Logf("no disk can be mounted here: %v", err)
		return
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) }) //nolint:errcheck // the test is over
	repository := filepath.Join(dir, "store.git")
	gittest.Git(t, dir, "init", "--quiet", "--bare", "--initial-branch=main", repository)
	store := open(t, git.Config{URL: repository})
	storetest.Write(t, store, map[string]string{"a": "1"})
	base := storetest.Read(t, store).Revision
	ballast := filepath.Join(dir, "ballast")
	for size := 1 << 20; size > 0; size /= 2 {
		file, err := os.OpenFile(ballast, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		file.Write(make([]byte, size)) //nolint:errcheck // until the disk is full
		file.Close()                   //nolint:errcheck // until the disk is full
	}
	changes := statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"b": "2"})}
	_, err := store.Apply(t.Context(), changes)
	told := wantError(t, err, statestore.ErrUnavailable)
	if !strings.Contains(told.Error(), "No space left on device") {
		t.Errorf("it does not say what is wrong: %v", err)
	}
	storetest.Holds(t, store, map[string]string{"a": "1"})
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	gittest.Fsck(t, repository)
	if _, err := store.Apply(t.Context(), changes); err != nil {
		t.Error(err)
	}
	storetest.Holds(t, store, map[string]string{"a": "1", "b": "2"})
}
