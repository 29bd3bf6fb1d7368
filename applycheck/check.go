package applycheck

// check is one step of the check of a Destination.
type check struct {
	Input
}

func newCheck(in Input) *check {
	if in.Cluster == nil {
		in.Cluster = &Cluster{}
	}
	return &check{Input: in}
}

func (c *check) claims() []Verdict { return make([]Verdict, len(c.Roots)) }

func (c *check) roots() []Verdict { return make([]Verdict, len(c.Roots)) }
