package kustomize

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// disk is a read-only file system for kustomize that contains only the given files.
type disk struct {
	// FileSystem is an empty file system for the methods that a build does not call.
	filesys.FileSystem
	files map[string][]byte
	dirs  map[string][]string
	// schema means that a kustomization may extend the Kubernetes schema.
	schema bool
	// root is the directory that contains all files. inside is the directory that watch has set, or
	// empty.
	root, inside string
	// outside is set when a build may depend on files in root that are not in inside.
	outside atomic.Bool
	guard   guard
	// fetch returns the content of a file that was added without content. It is nil if all files
	// have content.
	fetch func(tree.Path) ([]byte, error)
}

var _ filesys.FileSystem = (*disk)(nil)

func (l Lazy) newDisk(dir string, files []tree.File) *disk {
	d := &disk{fetch: l.Fetch, root: dir, FileSystem: filesys.MakeFsInMemory(), files: make(map[string][]byte, len(files)+1), dirs: map[string][]string{"/": nil}}
	d.mkdir(dir)
	for _, file := range files {
		d.put(dir+"/"+file.Path.String(), file.Content)
		if file.Content == nil && l.Fetch != nil && IsKustomization(file.Path) {
			d.schema = d.schema || SetsSchema(l.fetched(file))
		}
	}
	return d
}

// watch makes the disk set outside when a build accesses a path in root that is not in inside.
func (d *disk) watch(inside string) { d.inside = inside }

func (d *disk) note(name string) {
	within := func(dir string) bool { return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/") }
	if d.inside != "" && within(d.root) && !within(d.inside) {
		d.outside.Store(true)
	}
}

func (d *disk) put(name string, content []byte) {
	if _, there := d.files[name]; !there {
		d.mkdir(path.Dir(name))
		d.dirs[path.Dir(name)] = append(d.dirs[path.Dir(name)], path.Base(name))
		d.schema = d.schema || setsSchema(path.Base(name), content)
	}
	d.files[name] = content
}

func (d *disk) mkdir(name string) {
	if _, there := d.dirs[name]; there {
		return
	}
	d.mkdir(path.Dir(name))
	d.dirs[name] = nil
	d.dirs[path.Dir(name)] = append(d.dirs[path.Dir(name)], path.Base(name))
}

var (
	errMissing     = errors.New("no such file or directory")
	errDirectory   = errors.New("is a directory")
	errNoDirectory = errors.New("not a directory")
)

func (d *disk) missing(name string) error {
	for above := path.Dir(name); above != "/"; above = path.Dir(above) {
		if _, file := d.files[above]; file {
			return errNoDirectory
		}
	}
	return errMissing
}

func (d *disk) IsDir(name string) bool {
	d.note(path.Clean(name))
	return d.isDir(path.Clean(name))
}

func (d *disk) isDir(clean string) bool {
	_, dir := d.dirs[clean]
	return dir
}

func (d *disk) Exists(name string) bool {
	d.note(path.Clean(name))
	_, file := d.files[path.Clean(name)]
	return file || d.IsDir(name)
}

func (d *disk) ReadFile(name string) ([]byte, error) {
	clean := path.Clean(name)
	d.note(clean)
	if content, there := d.files[clean]; there {
		below := strings.TrimPrefix(clean, strings.TrimSuffix(d.root, "/")+"/")
		if path, err := tree.ParsePath(below); content == nil && d.fetch != nil && err == nil {
			if content, err = d.fetch(path); err != nil {
				return nil, err
			}
		}
		return content, d.guard.allow(below, content)
	}
	if d.IsDir(clean) {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errDirectory}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: d.missing(clean)}
}

func (d *disk) ReadDir(name string) ([]string, error) {
	d.note(path.Clean(name))
	inside, there := d.dirs[path.Clean(name)]
	if !there {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errMissing}
	}
	return slices.Sorted(slices.Values(inside)), nil
}

func (d *disk) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	clean := path.Clean("/" + name)
	if d.IsDir(clean) {
		return filesys.ConfirmedDir(clean), "", nil
	}
	if !d.Exists(clean) {
		first := clean
		for above := path.Dir(clean); !d.isDir(above); above = path.Dir(above) {
			first = above
		}
		if _, file := d.files[first]; file {
			return "", "", fmt.Errorf("evalsymlink failure on '%s' : %w", name, errNoDirectory)
		}
		return "", "", fmt.Errorf("evalsymlink failure on '%s' : %w", name, &fs.PathError{Op: "lstat", Path: first, Err: errMissing})
	}
	return filesys.ConfirmedDir(path.Dir(clean)), path.Base(clean), nil
}

func (d *disk) Glob(pattern string) ([]string, error) {
	d.outside.Store(true)
	var found []string
	for name := range d.files {
		match, err := path.Match(pattern, name)
		if err != nil {
			return nil, err
		}
		if match && (filesys.IsHiddenFilePath(pattern) || !filesys.IsHiddenFilePath(name)) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found, nil
}
