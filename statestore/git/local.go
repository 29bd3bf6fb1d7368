package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// exists reports whether the repository exists. It checks only local repositories.
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

// create creates a bare local repository whose HEAD is the branch. It renames the complete
// repository, so that concurrent calls create only one.
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
	defer os.RemoveAll(draft) //nolint:errcheck // it no longer exists after the rename
	if err := r.initialize(draft); err != nil {
		return err
	}
	os.Remove(r.local) //nolint:errcheck // this removes an empty directory only
	if err := os.Rename(draft, r.local); err != nil {
		if there, _ := r.exists(); there {
			return nil
		}
		return err
	}
	return nil
}

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
