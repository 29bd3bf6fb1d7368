package reconcile

import "github.com/kratix-schedule/kratix-schedule/internal/tree"

// findLeftovers takes the unfinished files in the Destination's directory. They
// are no one else's: what is wanted of them is there already, and the rest may
// go. As long as anything on the Destination is kept as it is, or may be
// unknown, they stay: they could be a part of it.
func (c *checked) findLeftovers() {
	if unfinished := c.unfinished(); len(unfinished) > 0 && len(c.invalidRecords) == 0 && c.decided() {
		c.leftovers = unfinished
	}
}

// decided reports whether each placement on the Destination is either to be
// written or to be removed.
func (c *checked) decided() bool {
	known := tree.Set{}
	for _, p := range c.candidates {
		if !p.writable() {
			return false
		}
		known.AddFile(p.record.Path)
	}
	for _, record := range c.removed {
		known.AddFile(record.path)
	}
	for _, record := range c.records {
		if !known.Has(record.path) {
			return false
		}
	}
	for path := range c.legacy {
		if !known.Has(path) {
			return false
		}
	}
	return true
}
