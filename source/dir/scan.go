package dir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/source"
)

type scan struct {
	*Source
	task
	losses []loss
	// readings are the files in progress, in the order of their starts.
	readings []reading
}

func (l *scan) run(ctx context.Context) error {
	links := false
	for _, in := range l.inputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := l.input(ctx, in)
		l.finish() // uses the results even after an error
		if err != nil {
			return err
		}
		links = links || len(in.links) > 0
	}
	l.pending.setLinks(links)
	l.applyLosses()
	return nil
}

func (l *scan) input(ctx context.Context, in *input) error {
	if in.path == Stdin {
		l.stdin(in)
		return nil
	}
	root, err := os.Stat(in.path)
	if err != nil {
		return pathError(in.path, err)
	}
	if l.all || in.root == nil || !os.SameFile(in.root, root) {
		if err := l.full(ctx, in, root); err != nil {
			return err
		}
		in.root = root
		return nil
	}
	for _, path := range l.paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		if name, has := l.name(in, path); has {
			l.changed(in, name)
		}
	}
	if len(l.paths) > 0 {
		l.finish() // one of the changed paths may be a link itself
		for name := range in.links {
			l.file(in, name, true, lookUpFile(name, true))
		}
	}
	return nil
}

func (l *scan) stdin(in *input) {
	if len(in.seen) == 0 {
		content, err := io.ReadAll(l.Stdin)
		l.collection.Set(in.rank, source.File{Name: "standard input", Content: content, Err: err})
		in.seen[in.path] = seen{}
	}
}

func (l *scan) full(ctx context.Context, in *input, root fs.FileInfo) error {
	in.skipped = skipped{}
	if root.IsDir() {
		if err := l.directory(ctx, in, in.path); err != nil {
			return err
		}
	} else {
		l.file(in, in.path, true, lookUpFile(in.path, true))
	}
	l.finish()
	for name, was := range in.seen {
		if was.scan != l.scans {
			l.gone(in, name)
		}
	}
	return nil
}

func (l *scan) directory(ctx context.Context, in *input, dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && dir != in.path:
		return nil // the directory was deleted after its parent was read
	case err != nil:
		return pathError(dir, err)
	}
	for window := range slices.Chunk(entries, lookUpsAtOnce) {
		found := lookUpAll(dir, window)
		for i, entry := range window {
			if err := l.entry(ctx, in, filepath.Join(dir, entry.Name()), entry, found[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *scan) entry(ctx context.Context, in *input, path string, entry fs.DirEntry, found lookUp) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch {
	case isHidden(path):
	case (entry.IsDir() || isYAML(path)) && l.excludes(in.path, path):
		in.skipped.excluded++
	case entry.IsDir() && !l.Recursive:
		in.skip(path, l.inputs)
	case entry.IsDir():
		return l.directory(ctx, in, path)
	case isYAML(path):
		l.file(in, path, isLink(entry.Type()), found)
	}
	return nil
}

func (l *scan) changed(in *input, name string) {
	if was, known := in.seen[name]; known {
		was.old = false
		in.seen[name] = was
	}
	link := true // a link as an input path is always followed
	if name != in.path {
		info, err := os.Lstat(name)
		if err != nil || info.IsDir() {
			l.gone(in, name)
			return
		}
		link = isLink(info.Mode())
	}
	l.file(in, name, link, lookUpFile(name, link))
}

// file starts to read a file, unless it is unchanged. found is the result of lookUpFile.
func (l *scan) file(in *input, name string, link bool, found lookUp) {
	info, err := found.info, found.err
	if !link && errors.Is(err, fs.ErrNotExist) {
		return // the file was deleted after the directory was listed
	}
	in.setLink(name, link && name != in.path)
	was, known := in.seen[name]
	was.scan = l.scans
	given := name == in.path
	switch {
	case err != nil:
		was.old = false
		l.begin(in, name, was, func() source.File { return source.File{Name: name, Err: unreadable(name, err)} })
	case !known || !was.still(info, given):
		was.stat, was.old = statOf(info), statOf(info).isOldAt(l.now())
		l.begin(in, name, was, func() source.File { return read(name, info, given) })
	default:
		in.seen[name] = was
	}
}

// read returns the content of a file. given means that the file is an input path; only then may it
// be a pipe.
func read(name string, info fs.FileInfo, given bool) source.File {
	if isPipe(info) && !given {
		return source.File{Name: name, Err: irregular(info)}
	}
	content, err := os.ReadFile(name) //nolint:gosec // the user chooses the files
	if err != nil {
		err = unreadable(name, err)
	}
	return source.File{Name: name, Content: content, Err: err}
}

// isPipe reports whether a file is neither regular nor a directory.
func isPipe(info fs.FileInfo) bool { return !info.Mode().IsRegular() && !info.IsDir() }

func (s seen) still(info fs.FileInfo, given bool) bool {
	return (s.old && s.stat == statOf(info)) || (given && isPipe(info))
}
