// Package dir turns directories and files of YAML into a Snapshot, and tells
// when they change. It reads the disk.
package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/source"
)

// Stdin is the path that means standard input.
const Stdin = "-"

// Source reads YAML files.
type Source struct {
	// Paths are files, directories, or Stdin.
	Paths []string
	// Recursive reads the directories below directories as well.
	Recursive bool
	// Stdin is what the path "-" reads. It can be read only once, so what it
	// gives is kept.
	Stdin io.Reader

	readStdin sync.Once
	stdin     source.File
}

var _ source.Source = (*Source)(nil)

// ErrPath is a path that the user gave and that cannot be used.
var ErrPath = errors.New("cannot read the path")

// Snapshot reads all files. A path that is not there is an error; a file in a
// directory that cannot be read is a finding.
func (s *Source) Snapshot(ctx context.Context) (source.Snapshot, error) {
	var files []source.File
	for _, path := range s.Paths {
		if err := ctx.Err(); err != nil {
			return source.Snapshot{}, err
		}
		found, err := s.read(path)
		if err != nil {
			return source.Snapshot{}, err
		}
		files = append(files, found...)
	}
	return source.Collect(files), nil
}

func (s *Source) read(path string) ([]source.File, error) {
	if path == Stdin {
		s.readStdin.Do(func() {
			content, err := io.ReadAll(s.Stdin)
			s.stdin = source.File{Name: "standard input", Content: content, Err: err}
		})
		return []source.File{s.stdin}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrPath, path, reason(err))
	}
	if !info.IsDir() {
		return []source.File{readFile(path)}, nil
	}
	names, err := s.list(path)
	if err != nil {
		return nil, err
	}
	files := make([]source.File, 0, len(names))
	for _, name := range names {
		files = append(files, readFile(name))
	}
	return files, nil
}

// list gives the files of a directory that hold YAML or JSON, sorted.
func (s *Source) list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrPath, dir, reason(err))
	}
	var names []string
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		switch {
		case isHidden(path):
		case entry.IsDir():
			if s.Recursive {
				below, err := s.list(path)
				if err != nil {
					return nil, err
				}
				names = append(names, below...)
			}
		case slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
			names = append(names, path)
		}
	}
	return names, nil
}

// isHidden tells editors' files from others, and the directories where
// Kubernetes keeps what a mounted ConfigMap's links point to.
func isHidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

func readFile(path string) source.File {
	content, err := os.ReadFile(path) //nolint:gosec // the user names the files to read
	if err != nil {
		err = reason(err)
	}
	return source.File{Name: path, Content: content, Err: err}
}

// reason takes the path out of an error that is shown beside it.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
