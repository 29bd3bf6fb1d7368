package oci

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// contents are the unpacked files of a layer, in walk order. They must not be modified.
type contents struct {
	files []tree.File
	// links are symlinks of another writer, which are kept.
	links []link
	size  int
}

type link struct {
	path   tree.Path
	target string
}

func (c *contents) at(path tree.Path) ([]byte, bool) {
	i, ok := slices.BinarySearchFunc(c.files, path, compareFile)
	if !ok {
		return nil, false
	}
	return c.files[i].Content, true
}

func compareFile(file tree.File, path tree.Path) int { return tree.Compare(file.Path, path) }

// state returns the paths and digests of the files. It shares unchanged directories with before.
func (c *contents) state(before statestore.Files) statestore.Files {
	var changes []statestore.FileChange
	for path := range before.All() {
		if _, there := c.at(path); !there {
			changes = append(changes, statestore.FileChange{Path: path, Gone: true})
		}
	}
	for _, file := range c.files {
		digest := statestore.Digest(sum(file.Content))
		if known, there := before.Digest(file.Path); !there || known != digest {
			changes = append(changes, statestore.FileChange{Path: file.Path, Digest: digest})
		}
	}
	return before.With(changes)
}

func (c *contents) obstacles() statestore.Obstacles {
	var all []statestore.Obstacle
	for _, each := range c.links {
		all = append(all, statestore.Obstacle{Path: each.path, Kind: "a symlink"})
	}
	return statestore.Obstacles{}.With(all)
}

// conflict is the error about changes that an artifact cannot have. paths may be empty.
type conflict struct {
	why   string
	paths []tree.Path
	fix   string
}

func (c conflict) Error() string { return c.why }

// with returns the contents after changes, and whether nothing has changed. It returns a conflict
// if an artifact cannot have the files.
func (c *contents) with(changes statestore.ChangeSet, dir tree.Path) (made *contents, same bool, err error) {
	written := make(map[tree.Path][]byte, len(changes.Write))
	for _, file := range changes.Write {
		if below, within := file.Path.RelativeTo(dir); !within || below.IsRoot() {
			return nil, false, conflict{"the path " + file.Path.String() + " is outside of the Destination's directory", []tree.Path{file.Path}, fixRename}
		}
		written[file.Path] = file.Content
	}
	removed := make(map[tree.Path]struct{}, len(changes.Remove))
	for _, path := range changes.Remove {
		removed[path] = struct{}{}
	}
	made, same = &contents{links: c.links}, true
	for _, file := range c.files {
		content, isWritten := written[file.Path]
		_, isRemoved := removed[file.Path]
		switch {
		case isWritten:
			same = same && slices.Equal(content, file.Content)
			delete(written, file.Path)
			made.files = append(made.files, tree.File{Path: file.Path, Content: slices.Clone(content)})
		case isRemoved:
			same = false
		default:
			made.files = append(made.files, file)
		}
	}
	for path, content := range written {
		same = false
		made.files = append(made.files, tree.File{Path: path, Content: slices.Clone(content)})
	}
	tree.SortFiles(made.files)
	return made, same, made.check()
}

// check sets the size, and returns a conflict if an artifact cannot have the files.
func (c *contents) check() error {
	var blocked conflict
	for i, file := range c.files {
		c.size += len(file.Content)
		if i > 0 && file.Path.Within(c.files[i-1].Path) {
			blocked.paths = append(blocked.paths, file.Path)
		}
		for _, each := range c.links {
			if file.Path.Within(each.path) || each.path.Within(file.Path) {
				blocked.paths = append(blocked.paths, file.Path)
			}
		}
	}
	switch {
	case len(blocked.paths) > 0:
		blocked.why, blocked.fix = "an entry above or below "+blocked.paths[0].String()+" is not a directory", fixRename
		return blocked
	case len(c.files) > maxFiles || c.size > maxUnpacked:
		return conflict{why: tooLarge(len(c.files), c.size), fix: fixLarge}
	}
	return nil
}
