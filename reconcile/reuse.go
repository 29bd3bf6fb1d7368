package reconcile

import "context"

// outcome finds out what a Destination should be like. The error is the
// store's.
func (m *memo) outcome(ctx context.Context, now situation) (*outcome, error) {
	known, ok := m.outcomes.get(now.Destination)
	if ok && known.situation.same(&now) {
		m.keep(&now)
		return known.outcome, nil
	}
	if ok && known.staysCalm(&now) {
		if made, ok := known.carry(now); ok {
			m.carried++
			return m.outcomes.put(now.Destination, made).outcome, nil
		}
		if made, ok := known.advance(ctx, now, m); ok {
			m.advanced++
			return m.outcomes.put(now.Destination, made).outcome, nil
		}
	}
	if ok && known.situation.store.limits != now.store.limits {
		known.rendered = nil // what is wrong with it may be something else
	}
	dest := desire(now, m, known.rendered)
	if err := dest.settle(ctx); err != nil {
		return dest.outcome(), err
	}
	dest.diff()
	made := settled{situation: now.kept(), outcome: dest.outcome(), rendered: dest.rendered}
	if made.calm = dest.calm(made.outcome); made.calm != nil {
		made.rendered = nil // a digest is enough, and contents are large
		m.clusters.drop(clusterKey{now.store.ref, now.Name})
	}
	return m.outcomes.put(now.Destination, made).outcome, nil
}

// settled is an outcome and what it came from.
type settled struct {
	situation situation
	outcome   *outcome
	// calm is what advance needs; nil when that is not possible.
	calm *calm
	// rendered is what the placements look like, unless the Destination is calm.
	rendered map[renderKey]rendered
}
