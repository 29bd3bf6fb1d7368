package servertest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

type recorder struct {
	testing.TB
	ended string
}

func (r *recorder) Skipf(format string, args ...any) {
	r.end("skipped: " + fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.end("failed: " + fmt.Sprintf(format, args...))
}

func (r *recorder) end(how string) {
	r.ended = how
	runtime.Goexit()
}

func TestMissingServerSkipsTheTest(t *testing.T) {
	for ci, want := range map[string]string{
		"":     "skipped: minio is neither built nor can it be built here, so nothing is tested on it: exit status 7: no module proxy\n",
		"true": "failed: minio cannot be built: exit status 7: no module proxy\n",
	} {
		t.Run("CI="+ci, func(t *testing.T) {
			t.Setenv("CI", ci)
			root := repositoryWith(t, "echo no module proxy >&2; exit 7")
			if got := ending(t, root); got != want {
				t.Errorf("it ended as %q, want %q", got, want)
			}
		})
	}
}

func TestMissingServerIsBuilt(t *testing.T) {
	root := repositoryWith(t, "echo built >>bin/s3/minio")
	want := filepath.Join(root, "bin", "s3", "minio")
	if got := ending(t, root); got != "found "+want {
		t.Errorf("it ended as %q", got)
	}
	if text, err := os.ReadFile(want); err != nil || strings.Count(string(text), "built") != 1 {
		t.Errorf("%q, %v", text, err)
	}
}

func ending(t *testing.T, root string) string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.ended = "found " + find(r, root, "s3", "minio")
	}()
	<-done
	return r.ended
}

func repositoryWith(t *testing.T, script string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "hack"), 0o750); err != nil {
		t.Fatal(err)
	}
	text := "#!/bin/sh\ncd \"$(dirname \"$0\")/..\" || exit 1\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(root, "hack", "servers.sh"), []byte(text), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	return root
}
