package rollout

import "time"

// Memory is knowledge of one process about a rollout, beyond the records. Its loss only delays the
// rollout. The zero value is ready for use.
type Memory struct{ of map[string]seen }

// seen is the knowledge about a target.
type seen struct {
	revision string
	action   Action
	// tried is the time since which the action was tried, or zero.
	tried time.Time
	// passed is the time at which the target passed its gate, and run is the run then.
	run, passed time.Time
}

// Recall sets the fields Tried and Passed of the targets.
func (m *Memory) Recall(in *Input) {
	for i := range in.Targets {
		t := &in.Targets[i]
		known, there := m.of[t.Destination]
		if !there {
			continue
		}
		if isUndone := known.action == Restore; known.revision == in.Revision && isUndone != t.isPending() {
			t.Tried = known.tried
		}
		for u := range t.Units {
			if run := t.Units[u].Mark.Run; !run.IsZero() && run.Equal(known.run) {
				t.Passed = known.passed
			}
		}
	}
}

// Learn stores a plan for the next Recall. The decisions are assumed to be carried out.
func (m *Memory) Learn(in *Input, made *Result) {
	before := m.of
	m.of = make(map[string]seen, len(in.Targets))
	for i := range in.Targets {
		t := &in.Targets[i]
		d := &made.Decisions[i]
		now := seen{revision: in.Revision, action: d.Action}
		last := before[t.Destination]
		switch {
		case d.Dead:
			now.tried = t.Tried
		case now.action == Restore || now.action == Write && t.isPending():
			if now.tried = in.Now; last.revision == now.revision && last.action == now.action && !last.tried.IsZero() {
				now.tried = last.tried
			}
		}
		if !d.Passed.IsZero() {
			now.run, now.passed = made.Run, d.Passed
		}
		if now != (seen{revision: in.Revision, action: now.action}) {
			m.of[t.Destination] = now
		}
	}
}

// isPending reports whether the target has other contents than the wanted contents.
func (t *Target) isPending() bool {
	return t.has(func(u *Unit) bool { return u.Mixed || u.Stored != u.Wanted })
}

// has reports whether one of the units satisfies a condition.
func (t *Target) has(condition func(*Unit) bool) bool {
	for i := range t.Units {
		if condition(&t.Units[i]) {
			return true
		}
	}
	return false
}
