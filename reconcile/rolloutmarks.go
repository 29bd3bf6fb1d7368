package reconcile

// dropMarks removes the marks of changed placements without a rollout step.
func (c *checked) dropMarks() {
	for _, p := range c.candidates {
		if p.rendering.Rollout != nil && p.writable() && c.plan.steps[p.WorkPlacement] == nil && !p.isStored() {
			p.rendering.Rollout = nil
			c.renewRecord(&p.placement)
		}
	}
}
