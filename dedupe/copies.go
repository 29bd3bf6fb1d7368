package dedupe

import (
	"bytes"
	"errors"

	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// copies compares entries of one identity: several may be in one root if they are
// copies of one object that the policy lets them share. Files are parsed when they are
// compared first, and then cached.
type copies struct {
	policy Policy
	// holders has the entry of each object in the claims' files in the store.
	holders map[identity]*entry
	files   map[*byte]*fileCopies
}

// fileCopies are the objects of a file as sharing compares them.
type fileCopies struct {
	// canonical has the content of each object in one form, whatever its YAML looks like.
	canonical [][]byte
	err       error
	// separable reports, for each object, whether it can be cut out.
	separable []bool
}

var (
	// errNoHolder: the object of an entry that is elsewhere is in no file.
	errNoHolder = errors.New("no file in the store has it")
	// errNotInFile: a kustomization makes the object.
	errNotInFile = errors.New("it is not a document of a file")
)

// compatible reports whether two entries of one identity can be in one root.
func (c *copies) compatible(a, b *entry) bool {
	if a.kind == leads && b.kind == leads {
		return true
	}
	if c.policy != Share || a.id.isPath() || !a.isShareable() || !b.isShareable() || a.claim() == b.claim() {
		return false
	}
	x, xErr := c.canonical(a)
	y, yErr := c.canonical(b)
	return xErr == nil && yErr == nil && bytes.Equal(x, y) && c.separable(a) && c.separable(b)
}

// isShareable reports whether an entry can be one of several claims' for one object.
func (e *entry) isShareable() bool { return (e.text != nil || e.elsewhere) && e.of != nil }

// canonical returns the content of an entry's object in a form in which equal objects
// are equal bytes.
func (c *copies) canonical(e *entry) ([]byte, error) {
	if e.elsewhere {
		holder, found := c.holders[e.id]
		if !found {
			return nil, errNoHolder
		}
		e = holder
	}
	if len(e.text) == 0 {
		return nil, errNotInFile
	}
	file := c.file(e)
	if file.err != nil {
		return nil, file.err
	}
	return file.canonical[e.position-1], nil
}

// separable reports whether an object, whose canonical form is known, can be cut out of
// its file.
func (c *copies) separable(e *entry) bool {
	return e.elsewhere || c.file(e).separable[e.position-1]
}

// file returns the objects of the file that an entry is in.
func (c *copies) file(e *entry) *fileCopies {
	key := &e.text[0]
	if file, cached := c.files[key]; cached {
		return file
	}
	file := &fileCopies{}
	file.canonical, file.err = kustomize.Canonical(e.text)
	if file.err == nil {
		file.separable, file.err = kustomize.Separable(e.text)
	}
	c.files[key] = file
	return file
}

// isHolder reports whether an entry's claim has the object in its files in the store.
func (c *copies) isHolder(e *entry) bool {
	holder, found := c.holders[e.id]
	return found && holder.claim() == e.claim()
}
