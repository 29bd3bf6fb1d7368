package rollout

import (
	"cmp"
	"slices"
	"time"
)

// RestWave is the name of the wave with the Destinations that no wave of the Spec selects.
const RestWave = "rest"

// condition is the state of a target in the run.
type condition int

const (
	// asWanted targets had the wanted contents before the run.
	asWanted condition = iota
	// pending targets have other contents.
	pending
	// inFlight targets have the wanted contents, and have neither passed their gate nor failed.
	inFlight
	passed
	// failed targets have the wanted contents, and have failed with them.
	failed
	// late targets are pending, and are written after all others.
	late
)

// target is a target with results of the plan.
type target struct {
	*Target
	wave int
	condition
	// isJoined means that the target joined during the run. isDead means that it could not be written.
	// isPartial means that only a part of its contents was written.
	isJoined, isDead, isPartial bool
	// isWritten means that the run has written a unit of the target. isLate means that a unit was
	// written late, as in Mark.Late.
	isWritten, isLate bool
	// occupies means that the target counts for MaxConcurrent although it is pending.
	occupies bool
	// since is the time at which this run has written the target. passedAt is the time at which the
	// target has passed its gate.
	since, passedAt time.Time
	why             string
}

// run is the computation of a plan.
type run struct {
	Input
	// start is the start of the current run, or of the last run if the wanted contents are new.
	start time.Time
	// continues means that the current run has written contents that are still wanted.
	continues bool
	waves     []Wave
	targets   []target
	// reached is the last wave in which this run has written a target in order. firstIn has the time
	// of the first such write in each wave.
	reached   int
	firstIn   []time.Time
	isPending bool
	due       time.Time
}

func newRun(in Input) *run {
	r := &run{Input: in, waves: in.Spec.Waves, reached: -1}
	rest := in.Spec.Waves[len(in.Spec.Waves)-1]
	rest.Name, rest.Approval = RestWave, false
	r.waves = append(slices.Clip(r.waves), rest)
	r.firstIn = make([]time.Time, len(r.waves))
	for i := range in.Targets {
		t := target{Target: &in.Targets[i], wave: in.Spec.WaveOf(in.Targets[i].Labels)}
		r.targets = append(r.targets, t)
		for u := range t.Units {
			r.start = later(r.start, t.Units[u].Mark.Run)
		}
	}
	r.findRun()
	for i := range r.targets {
		r.classify(&r.targets[i])
	}
	return r
}

// WaveOf returns the index of the wave of a Destination with the given labels. It is the number of
// waves if no wave selects the Destination.
func (s *Spec) WaveOf(labels Labels) int {
	for i := range s.Waves {
		if s.Waves[i].Destinations.Matches(labels) {
			return i
		}
	}
	return len(s.Waves)
}

// findRun decides whether the last run continues. It ends if other contents are wanted now than the
// run has written.
func (r *run) findRun() {
	if r.start.IsZero() {
		return
	}
	r.continues = true
	for i := range r.targets {
		t := &r.targets[i]
		for u := range t.Units {
			unit := &t.Units[u]
			if !unit.Mark.Run.Equal(r.start) {
				continue
			}
			r.continues = r.continues && unit.Stored == unit.Wanted
			if unit.Mark.Late {
				continue
			}
			r.reached = max(r.reached, t.wave)
			r.firstIn[t.wave] = earlier(r.firstIn[t.wave], unit.Mark.Since)
		}
	}
	if !r.continues {
		r.reached, r.firstIn = -1, make([]time.Time, len(r.waves))
	}
}

// isOfRun reports whether this run has written the unit.
func (r *run) isOfRun(u *Unit) bool { return r.continues && u.Mark.Run.Equal(r.start) }

// isUpgrade reports whether the fleet had other contents before the run.
func (r *run) isUpgrade() bool {
	for i := range r.targets {
		if r.targets[i].has(func(u *Unit) bool { return u.Stored != "" && (u.Stored != u.Wanted || r.isOfRun(u) && u.Mark.Previous) }) {
			return true
		}
	}
	return false
}

func (r *run) classify(t *target) {
	isPending := t.isPending()
	t.isWritten = t.has(func(u *Unit) bool { return r.isOfRun(u) })
	t.isLate = t.has(func(u *Unit) bool { return r.isOfRun(u) && u.Mark.Late })
	r.isPending = r.isPending || isPending
	switch {
	case isPending:
		t.condition = pending
		t.isPartial = t.has(func(u *Unit) bool { return u.Mixed })
		t.occupies = t.isWritten || t.isPartial || !t.Tried.IsZero() || r.isUnsettled(t)
	case t.isWritten:
		t.condition = inFlight
	}
}

// isUnsettled reports whether an earlier run has written the target, and the target may still pass
// its gate or fail.
func (r *run) isUnsettled(t *target) bool {
	wave := &r.waves[t.wave]
	return t.has(func(u *Unit) bool {
		if u.Mark.Run.IsZero() || wave.Gate == Written || u.hasFailed(wave.Gate) || !u.passes(wave.Gate).IsZero() {
			return false
		}
		ends := u.Mark.Since.Add(wave.Deadline)
		r.wake(ends)
		return r.Now.Before(ends)
	})
}

// passes returns the time at which the unit has passed a gate, or zero.
func (u *Unit) passes(gate Gate) time.Time {
	switch gate {
	case Applied:
		return u.Applied
	case Healthy:
		return u.Healthy
	}
	return u.Mark.Since
}

// hasFailed reports whether the agent has reported a failure that matters for a gate.
func (u *Unit) hasFailed(gate Gate) bool {
	return u.Failure != "" && (gate == Healthy || gate == Applied && !u.Unhealthy)
}

// judge decides which targets have passed or failed.
func (r *run) judge() {
	isUpgrade := r.isUpgrade()
	for i := range r.targets {
		t := &r.targets[i]
		switch t.condition {
		case pending:
			r.judgePending(t, isUpgrade)
		case inFlight:
			r.judgeWritten(t)
		}
	}
}

func (r *run) judgePending(t *target, isUpgrade bool) {
	wave := &r.waves[t.wave]
	isNew := t.has(func(u *Unit) bool { return u.Stored == "" })
	joined := t.has(func(u *Unit) bool { return r.continues && !u.Mark.Joined.IsZero() && u.Mark.Joined.Equal(r.start) })
	t.isJoined = joined || isNew && (isUpgrade || t.wave < r.reached)
	for u := range t.Units {
		t.why = cmp.Or(t.why, t.Units[u].Refused)
	}
	ends := t.Tried.Add(wave.Deadline)
	switch {
	case t.why != "":
		t.isDead = true
	case t.Tried.IsZero():
	case r.Now.Before(ends):
		r.wake(ends)
	default:
		t.isDead, t.why = true, "it could not be written within "+wave.Deadline.String()
	}
	if t.isJoined && !t.isPartial || t.isDead {
		t.condition = late
		t.occupies = t.occupies && !t.isDead
	}
}

func (r *run) judgeWritten(t *target) {
	wave := &r.waves[t.wave]
	isPassed, failure := true, ""
	for u := range t.Units {
		unit := &t.Units[u]
		if !r.isOfRun(unit) {
			continue
		}
		t.since = later(t.since, unit.Mark.Since)
		at := unit.passes(wave.Gate)
		isPassed = isPassed && !at.IsZero()
		t.passedAt = later(t.passedAt, at)
		if unit.hasFailed(wave.Gate) && r.counts(t, unit) {
			failure = cmp.Or(failure, unit.Failure)
		}
	}
	if !t.Passed.IsZero() {
		isPassed, t.passedAt = true, t.Passed
	}
	switch {
	case failure != "":
		t.condition, t.why = failed, failure
	case isPassed:
		t.condition = passed
	case r.Watching.After(t.since) && r.isImplied(t):
		t.condition, t.passedAt = passed, t.since
	default:
		r.judgeDeadline(t)
	}
}

// counts reports whether a failure of a target is a failure of the run. Once no Destination is
// pending, a failure after the soak time of the target does not count.
func (r *run) counts(t *target, u *Unit) bool {
	wave := &r.waves[t.wave]
	ends := u.Mark.Since.Add(wave.Deadline + wave.Soak)
	if !t.Passed.IsZero() {
		ends = t.Passed.Add(wave.Soak)
	}
	return r.isPending || u.FailedAt.Before(ends)
}

// isImplied reports whether a later wave began after the target was written, so that the target
// must have passed. After a restart, an agent may not repeat its reports.
func (r *run) isImplied(t *target) bool {
	for wave := t.wave + 1; wave < len(r.waves); wave++ {
		if first := r.firstIn[wave]; !first.IsZero() && !first.Before(t.since) {
			return true
		}
	}
	return false
}

func (r *run) judgeDeadline(t *target) {
	wave := &r.waves[t.wave]
	ends := t.since.Add(wave.Deadline)
	if !r.isPending && r.Watching.After(ends) {
		t.condition, t.passedAt = passed, t.since // the run ended before this process began
		return
	}
	ends = later(t.since, r.Watching).Add(wave.Deadline)
	if r.Now.Before(ends) {
		r.wake(ends)
		return
	}
	t.condition, t.why = failed, "its agent did not report it as "+string(wave.Gate)+" within "+wave.Deadline.String()
}

// wake makes the next plan due at a time, if the time has not passed.
func (r *run) wake(at time.Time) {
	if at.After(r.Now) {
		r.due = earlier(r.due, at)
	}
}
