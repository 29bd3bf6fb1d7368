package git

import (
	"errors"
	"syscall"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

func TestFullTemporaryDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Logf("no disk can be mounted here: %v", err)
		return
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) }) //nolint:errcheck // the test is over
	t.Setenv("TMPDIR", dir)
	held := newObjects()
	held.limit = 100
	large, small := encode(plumbing.BlobObject, make([]byte, 1<<20)), encode(plumbing.BlobObject, make([]byte, 1<<10))
	if err := held.put(large); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("err %v", err)
	}
	if _, err := held.get(large.Hash()); err == nil {
		t.Error("half an object is given")
	}
	if err := held.put(small); err != nil {
		t.Error(err)
	}
	if content, err := held.content(small.Hash()); err != nil || len(content) != 1<<10 {
		t.Errorf("%d bytes, %v", len(content), err)
	}
}
