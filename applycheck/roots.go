package applycheck

func (c *check) checkRoots() []Verdict { return make([]Verdict, len(c.roots)) }
