package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// exists reports whether there is a repository to talk to. Only on this machine
// can one be missing without being a mistake; an empty directory is none.
func (r *remote) exists() (bool, error) {
	if r.local == "" {
		return true, nil
	}
	entries, err := os.ReadDir(r.local)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return len(entries) > 0, err
}

// create makes a bare repository on this machine, whose HEAD is the branch. It appears whole, so that of two creators one wins.
func (r *remote) create(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	parent := filepath.Dir(r.local)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	draft, err := os.MkdirTemp(parent, "."+filepath.Base(r.local)+"-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(draft) //nolint:errcheck // it is gone once renamed
	if err := r.initialize(draft); err != nil {
		return err
	}
	os.Remove(r.local) //nolint:errcheck // an empty directory goes, anything else stays
	if err := os.Rename(draft, r.local); err != nil {
		if there, _ := r.exists(); there {
			return nil
		}
		return err
	}
	return nil
}

// initialize writes what makes a directory a bare repository.
func (r *remote) initialize(dir string) error {
	for _, name := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	for name, content := range map[string]string{
		"HEAD":   fmt.Sprintf("ref: %s\n", r.branch),
		"config": "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return os.Chmod(dir, 0o755)
}
