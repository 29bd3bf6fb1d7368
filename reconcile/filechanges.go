package reconcile

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// maxHeld is the number of bytes beyond which a round drops the contents of independent placements.
const maxHeld = 32 << 20

type fileChanges struct {
	statestore.ChangeSet
	// digests are the digests of the files in Write. size is the sum of their lengths in bytes.
	digests []statestore.Digest
	size    int
	// dropped is the situation from which dropped contents are rendered again. It is nil if Write has
	// all contents.
	dropped *situation
}

func newFileChanges(set statestore.ChangeSet, contents statestore.Contents) fileChanges {
	made := fileChanges{ChangeSet: set}
	for _, file := range set.Write {
		made.digests = append(made.digests, contents.Digest(file.Content))
		made.size += len(file.Content)
	}
	return made
}

func (c *fileChanges) same(other *fileChanges) bool {
	return slices.Equal(c.Remove, other.Remove) && slices.Equal(c.digests, other.digests) &&
		slices.EqualFunc(c.Write, other.Write, func(a, b tree.File) bool { return a.Path == b.Path })
}

// drop returns the changes without contents that can be rendered again. from is the situation of
// the changes, with independent placements.
func (c fileChanges) drop(from *situation, units []unitChange) fileChanges {
	rendered := map[tree.Path]bool{}
	for i := range units {
		rendered[units[i].record] = !units[i].isMarked
		for _, path := range units[i].files {
			rendered[path] = true
		}
	}
	c.dropped, c.Write = from, slices.Clone(c.Write)
	for i := range c.Write {
		if rendered[c.Write[i].Path] {
			c.Write[i].Content = nil
		}
	}
	return c
}

// files returns the files to write, with their contents. It returns an error if a dropped file is
// not rendered as before.
func (c *fileChanges) files(contents statestore.Contents) ([]tree.File, error) {
	if c.dropped == nil {
		return c.Write, nil
	}
	rendered := map[tree.Path][]byte{}
	for i := range c.dropped.plan.placements {
		made := c.dropped.render(&c.dropped.plan.placements[i])
		rendered[made.record.Path] = made.record.Content
		for _, file := range made.rendering.Files {
			rendered[file.Path] = file.Content
		}
	}
	files := slices.Clone(c.Write)
	for i := range files {
		if files[i].Content == nil {
			files[i].Content = rendered[files[i].Path]
		}
		if contents.Digest(files[i].Content) != c.digests[i] {
			return nil, fmt.Errorf("%s is not rendered as it was in this round", files[i].Path)
		}
	}
	return files, nil
}
