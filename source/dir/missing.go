package dir

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kratix-schedule/kratix-schedule/source"
)

// The limits of Missing for one path.
const (
	missingFiles = 300
	missingBytes = 16 << 20
	missingNames = 10_000
)

// Missing returns possible reasons why Works are missing: subdirectories with Works that are not
// read.
func (s *Source) Missing(ctx context.Context) []string {
	if s.Recursive {
		return nil
	}
	var reasons []string
	for _, path := range s.Paths {
		if path == Stdin || ctx.Err() != nil {
			continue
		}
		works, all := worksBelow(ctx, path)
		if works == 0 {
			continue
		}
		reasons = append(reasons, reasonFor(works, all, filepath.Clean(path)))
	}
	return reasons
}

func reasonFor(works int, all bool, path string) string {
	switch {
	case !all:
		return fmt.Sprintf("at least %d Works are in sub-directories of %s; -R reads them", works, path)
	case works == 1:
		return fmt.Sprintf("1 Work is in a sub-directory of %s; -R reads it", path)
	}
	return fmt.Sprintf("%d Works are in sub-directories of %s; -R reads them", works, path)
}

// worksBelow counts the Works in the subdirectories of root. all is false if it has stopped early.
func worksBelow(ctx context.Context, root string) (works int, all bool) {
	files, size, names := 0, int64(0), 0
	all = true
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		names++
		switch {
		case ctx.Err() != nil || names > missingNames:
			all = false
			return fs.SkipAll
		case err != nil:
			return nil //nolint:nilerr // unreadable files are ignored
		case path == root:
			return nil
		case isHidden(path) && entry.IsDir():
			return fs.SkipDir
		case isHidden(path) || !entry.Type().IsRegular() || !isYAML(path) || filepath.Dir(path) == filepath.Clean(root):
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return nil //nolint:nilerr // deleted meanwhile
		}
		if files, size = files+1, size+info.Size(); files > missingFiles || size > missingBytes {
			all = false
			return fs.SkipAll
		}
		content, err := os.ReadFile(path) //nolint:gosec // the user chooses the directory
		if err == nil {
			works += source.Parse(0, source.File{Name: path, Content: content}).Works()
		}
		return nil
	})
	return works, all
}
