package judge

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// extract writes the files of a tree to a directory. Unlike git checkout, it does not change the
// content of files.
func (j *Judge) extract(ctx context.Context, tree, dir string) error {
	listed, err := j.git(ctx, "ls-tree", "-r", "-z", tree)
	if err != nil {
		return err
	}
	var names []string
	var ids strings.Builder
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(listed), "\x00"), "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		if fields := strings.Fields(about); len(fields) == 3 && fields[1] == "blob" {
			names = append(names, name)
			ids.WriteString(fields[2] + "\n")
		}
	}
	contents, err := j.gitWith(ctx, ids.String(), "cat-file", "--batch=%(objectsize)")
	if err != nil {
		return err
	}
	for _, name := range names {
		header, rest, _ := bytes.Cut(contents, []byte("\n"))
		size := 0
		if _, err := fmt.Sscan(string(header), &size); err != nil || size >= len(rest) {
			return fmt.Errorf("git cat-file: %q of %s", header, name)
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, rest[:size], 0o600); err != nil {
			return err
		}
		contents = rest[size+1:]
	}
	return nil
}

func (j *Judge) git(ctx context.Context, args ...string) ([]byte, error) {
	return j.gitWith(ctx, "", args...)
}

func (j *Judge) gitWith(ctx context.Context, input string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Stdin = j.repository, strings.NewReader(input)
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, trouble.String())
	}
	return out, nil
}
