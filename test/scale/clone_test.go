package scale

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

type clone struct {
	t               testing.TB
	repository, dir string
	url             string
	made            int
}

func (c *clone) create() {
	c.t.Helper()
	c.dir = filepath.Join(c.t.TempDir(), "clone")
	gittest.Git(c.t, filepath.Dir(c.dir), "clone", "--quiet", "--no-checkout", c.repository, c.dir)
	to, err := url.Parse(c.url)
	if err != nil {
		c.t.Fatal(err)
	}
	to.User = url.UserPassword(gittest.User, gittest.Password)
	gittest.Git(c.t, c.dir, "remote", "set-url", "origin", to.String())
	gittest.Git(c.t, c.dir, "config", "http.sslVerify", "false") // no environment variable can set this
	gittest.Git(c.t, c.dir, "config", "gc.auto", "0")
}

// pushCopy pushes a commit with a copy of the placement in the commit head, and returns the
// duration of `git push`.
func (c *clone) pushCopy(head string) time.Duration {
	c.t.Helper()
	c.made++
	gittest.Git(c.t, c.dir, "fetch", "--quiet", c.repository, "main")
	gittest.Git(c.t, c.dir, "read-tree", head)
	files := strings.Fields(gittest.Git(c.t, c.dir, "diff-tree", "--no-commit-id", "--name-only", "--diff-filter=A", "-r", head))
	if len(files) != 4 {
		c.t.Fatalf("%s has brought %d files, want three and a record", head, len(files))
	}
	for i, path := range files {
		content := gittest.Git(c.t, c.dir, "cat-file", "blob", head+":"+path)
		name := filepath.Join(c.t.TempDir(), strconv.Itoa(i))
		if err := os.WriteFile(name, []byte(rename(content, c.made)), 0o600); err != nil {
			c.t.Fatal(err)
		}
		blob := gittest.Git(c.t, c.dir, "hash-object", "-w", name)
		gittest.Git(c.t, c.dir, "update-index", "--add", "--cacheinfo", "100644,"+blob+","+rename(path, c.made))
	}
	tree := gittest.Git(c.t, c.dir, "write-tree")
	commit := gittest.Git(c.t, c.dir, "commit-tree", "-p", head, "-m", "bare", tree)
	gittest.Git(c.t, c.repository, "update-ref", "refs/heads/bare", head)
	gittest.Git(c.t, c.dir, "update-ref", "refs/remotes/origin/bare", head)

	push := exec.Command("git", "push", "--quiet", "origin", commit+":refs/heads/bare")
	push.Dir, push.Env = c.dir, gittest.Env()
	began := time.Now()
	out, err := push.CombinedOutput()
	took := time.Since(began)
	if err != nil {
		c.t.Fatalf("git push: %v\n%s", err, out)
	}
	gittest.Git(c.t, c.repository, "update-ref", "-d", "refs/heads/bare")
	return took
}

func rename(text string, i int) string {
	return strings.ReplaceAll(text, "db-", fmt.Sprintf("bare%d-", i))
}
