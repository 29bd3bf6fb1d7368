package kratixlike

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

type repositories struct {
	dir  string
	mu   sync.Mutex
	open map[remote]*repository
}

type remote struct {
	url, branch, author, email string
	header, ca                 string
	insecure                   bool
}

type repository struct {
	remote
	dir string
	mu  sync.Mutex
	// clean means that the worktree is equal to the branch, as it was last fetched or pushed.
	clean bool
}

func (r *repositories) at(ctx context.Context, to remote) (*repository, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if opened := r.open[to]; opened != nil {
		return opened, nil
	}
	opened := &repository{remote: to, dir: filepath.Join(r.dir, strconv.Itoa(len(r.open)))}
	if err := os.WriteFile(opened.dir+".crt", []byte(to.ca), 0o600); err != nil {
		return nil, err
	}
	if err := os.Mkdir(opened.dir, 0o700); err != nil {
		return nil, err
	}
	if err := opened.git(ctx, "init", "--quiet", "--initial-branch", to.branch); err != nil {
		return nil, err
	}
	r.open[to] = opened
	return opened, nil
}

const pushes = 5

func (r *repository) commit(ctx context.Context, message string, change func(*os.Root) error) (version string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// No fetch is needed, because the server rejects the push if the branch has moved.
	if r.clean {
		committed := false
		if version, committed, err = r.commitOnce(ctx, message, change); committed {
			return version, nil
		}
	}
	for range pushes {
		if err = r.reset(ctx); err != nil {
			return "", err
		}
		if version, _, err = r.commitOnce(ctx, message, change); !errors.Is(err, errStale) {
			return version, err
		}
	}
	return "", err
}

var errStale = errors.New("somebody else has pushed")

func (r *repository) commitOnce(ctx context.Context, message string, change func(*os.Root) error) (version string, committed bool, err error) {
	r.clean = false
	root, err := os.OpenRoot(r.dir)
	if err != nil {
		return "", false, err
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	if err := change(root); err != nil {
		return "", false, err
	}
	if err := r.git(ctx, "add", "--all", "--force"); err != nil {
		return "", false, err
	}
	err = r.git(ctx, "commit", "--quiet", "--no-verify", "--message", message)
	committed = err == nil
	switch {
	case committed:
		err = r.push(ctx)
	case strings.Contains(err.Error(), "nothing to commit"), strings.Contains(err.Error(), "nothing added to commit"):
		err = nil
	}
	if err != nil {
		return "", false, err
	}
	r.clean = true
	head, err := root.ReadFile(".git/refs/heads/" + r.branch)
	if errors.Is(err, fs.ErrNotExist) { // the branch does not exist, and there is nothing to write
		return "", false, nil
	}
	return strings.TrimSpace(string(head)), committed, err
}

func (r *repository) reset(ctx context.Context) error {
	if err := r.git(ctx, "fetch", "--quiet", "--prune", r.url, "+refs/heads/*:refs/remotes/origin/*"); err != nil {
		return err
	}
	head := "refs/remotes/origin/" + r.branch
	if err := r.git(ctx, "rev-parse", "--quiet", "--verify", head); err == nil {
		return r.git(ctx, "reset", "--quiet", "--hard", head)
	}
	if err := r.git(ctx, "update-ref", "-d", "refs/heads/"+r.branch); err != nil {
		return err
	}
	if err := r.git(ctx, "read-tree", "--empty"); err != nil {
		return err
	}
	return r.git(ctx, "clean", "--quiet", "-ffdx")
}

func (r *repository) push(ctx context.Context) error {
	err := r.git(ctx, "push", "--quiet", r.url, "HEAD:refs/heads/"+r.branch)
	if err == nil {
		return nil
	}
	for _, sign := range []string{"fetch first", "non-fast-forward", "cannot lock ref", "reference already exists"} {
		if strings.Contains(err.Error(), sign) {
			return fmt.Errorf("%w: %w", errStale, err)
		}
	}
	return err
}

func (r *repository) check(ctx context.Context) error {
	return r.git(ctx, "ls-remote", "--quiet", "--heads", r.url)
}

func (r *repository) git(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME="+r.author, "GIT_AUTHOR_EMAIL="+r.email, "GIT_COMMITTER_NAME="+r.author, "GIT_COMMITTER_EMAIL="+r.email,
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=gc.auto", "GIT_CONFIG_VALUE_0=0", "GIT_CONFIG_KEY_1=http.extraHeader", "GIT_CONFIG_VALUE_1="+r.header)
	if r.ca != "" {
		cmd.Env = append(cmd.Env, "GIT_SSL_CAINFO="+r.dir+".crt")
	}
	if r.insecure {
		cmd.Env = append(cmd.Env, "GIT_SSL_NO_VERIFY=1")
	}
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(out.String()+trouble.String()))
	}
	return nil
}
