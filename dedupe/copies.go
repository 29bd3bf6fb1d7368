package dedupe

import (
	"bytes"

	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// copies compares entries with the same identity.
type copies struct {
	policy  Policy
	holders map[identity]*entry
	files   map[*byte]*fileCopies
}

// fileCopies are the objects of a file in the form in which they are compared. They are empty if
// the file cannot be compared.
type fileCopies struct {
	// canonical contains each object in a form that does not depend on its YAML style.
	canonical [][]byte
	// separable reports, for each object, whether it can be cut out.
	separable []bool
}

// compatible reports whether two entries with the same identity can be in one root.
func (c *copies) compatible(a, b *entry) bool {
	if a.kind == leads && b.kind == leads {
		return true
	}
	if c.policy != Share || a.id.isPath() || !a.isShareable() || !b.isShareable() || a.claim() == b.claim() {
		return false
	}
	x := c.canonical(a)
	return x != nil && bytes.Equal(x, c.canonical(b)) && c.separable(a) && c.separable(b)
}

func (e *entry) isShareable() bool { return (e.text != nil || e.elsewhere) && e.of != nil }

// canonical returns the object of an entry in a form in which equal objects have equal bytes. It
// returns nil if there is no such form.
func (c *copies) canonical(e *entry) []byte {
	if e.elsewhere {
		e = c.holders[e.id]
	}
	if e == nil || len(e.text) == 0 {
		return nil
	}
	if file := c.file(e); file.canonical != nil {
		return file.canonical[e.position-1]
	}
	return nil
}

func (c *copies) separable(e *entry) bool {
	return e.elsewhere || c.file(e).separable[e.position-1]
}

func (c *copies) file(e *entry) *fileCopies {
	key := &e.text[0]
	if file, cached := c.files[key]; cached {
		return file
	}
	file := &fileCopies{}
	if canonical, err := kustomize.Canonical(e.text); err == nil {
		if separable, err := kustomize.Separable(e.text); err == nil {
			file.canonical, file.separable = canonical, separable
		}
	}
	c.files[key] = file
	return file
}

func (c *copies) isHolder(e *entry) bool {
	holder, found := c.holders[e.id]
	return found && holder.claim() == e.claim()
}
