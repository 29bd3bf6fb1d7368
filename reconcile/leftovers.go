package reconcile

import "github.com/kratix-schedule/kratix-schedule/internal/tree"

// findLeftovers sets the leftovers to the unfinished files in the Destination's directory. It does
// nothing if one of them could belong to a placement that is kept.
func (c *checked) findLeftovers() {
	if unfinished := c.unfinished(); len(unfinished) > 0 && len(c.invalidRecords) == 0 && c.decided() {
		c.leftovers = unfinished
	}
}

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
