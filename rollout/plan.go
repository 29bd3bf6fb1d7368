package rollout

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// Labels are the labels of a Destination.
type Labels = labels.Set

// Plan returns the decisions about all targets of a Rollout.
func Plan(in Input) Result {
	r := newRun(in)
	r.judge()
	made := Result{Run: r.start, Decisions: make([]Decision, len(r.targets))}
	if !r.continues {
		made.Run = in.Now.Truncate(time.Second)
		if !made.Run.After(r.start) {
			made.Run = r.start.Add(time.Second)
		}
	}
	for i := range r.targets {
		t := &r.targets[i]
		made.Decisions[i] = Decision{Action: Write, Wave: t.wave, Dead: t.isDead, Late: t.condition == late || t.isPartial && (!t.isWritten || t.isLate)}
		if t.condition == passed {
			made.Decisions[i].Passed = t.passedAt
		}
		if (t.condition == pending || t.condition == late) && !t.isPartial {
			made.Decisions[i].Action = Wait
		}
	}
	made.Waves = r.states()
	r.decide(&made)
	r.stabilize(&made)
	r.leaveStart(&made)
	made.Due = r.due
	if last := len(made.Waves) - 1; made.Waves[last].Destinations == 0 {
		made.Waves = made.Waves[:last]
	}
	return made
}

func (r *run) states() []WaveState {
	states := make([]WaveState, len(r.waves))
	settled := make([]time.Time, len(r.waves))
	for i := range states {
		states[i].Name = r.waves[i].Name
		states[i].Complete = true
	}
	for i := range r.targets {
		t := &r.targets[i]
		s := &states[t.wave]
		s.Destinations++
		switch t.condition {
		case pending:
			s.Complete = false
		case inFlight:
			s.Complete = s.Complete && t.isLate
			s.Updated++
			s.InFlight++
		case failed:
			s.Updated++
			s.Failed++
		case late:
			s.Late++
			if t.isDead {
				s.Failed++
			}
		case passed:
			s.Updated++
			if !t.isLate {
				settled[t.wave] = later(settled[t.wave], t.passedAt)
			}
		case asWanted:
			s.Updated++
		}
		if t.occupies && t.condition != inFlight {
			s.InFlight++
		}
	}
	for i := range states {
		r.soak(&states[i], &r.waves[i], settled[i])
	}
	return states
}

// soak keeps a wave from being complete while it soaks.
func (r *run) soak(s *WaveState, wave *Wave, settled time.Time) {
	if !s.Complete || settled.IsZero() || wave.Soak == 0 {
		return
	}
	if ends := settled.Add(wave.Soak); ends.After(r.Now) {
		s.Complete, s.Reason = false, "it soaks until "+text(ends)
		r.wake(ends)
	}
}

func text(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// decide sets the phase and the actions.
func (r *run) decide(made *Result) {
	wave, why := r.failure(made.Waves)
	undone := false
	for i := range r.targets {
		undone = undone || r.targets[i].has(func(u *Unit) bool { return u.Undone })
	}
	isAborted := r.Spec.Aborted != "" && r.Spec.Aborted == r.Revision
	switch {
	case undone:
		r.restore(made, "it was rolled back")
	case isAborted:
		r.restore(made, "it was aborted")
	case why != "" && r.Spec.RollBack:
		r.restore(made, why)
	case why != "":
		made.Phase, made.Reason = Failed, why
		made.Waves[wave].Reason = why
		r.hold(made, "the rollout has failed: "+why)
	case !r.isPending:
		r.end(made)
	case r.Spec.Paused:
		made.Phase, made.Reason = Paused, "spec.paused is set"
		r.hold(made, "the rollout is paused")
	default:
		r.admit(made)
	}
}

// end sets the phase of a run without pending targets.
func (r *run) end(made *Result) {
	made.Phase = Complete
	for i := range made.Waves {
		if s := &made.Waves[i]; !s.Complete {
			if s.Reason == "" {
				s.Reason = r.pendingReason(s, &r.waves[i])
			}
			made.Phase, made.Reason = Progressing, "wave "+s.Name+": "+s.Reason
			return
		}
	}
}

// failure returns the first wave in which more targets have failed than it allows, and the reason.
// The reason is empty if there is no such wave.
func (r *run) failure(states []WaveState) (wave int, why string) {
	for i := range states {
		if states[i].Failed <= r.waves[i].MaxFailures {
			continue
		}
		for t := range r.targets {
			if one := &r.targets[t]; one.wave == i && (one.condition == failed || one.isDead) {
				return i, fmt.Sprintf("in wave %s %d of %d Destinations have failed, and %d may: %s: %s",
					states[i].Name, states[i].Failed, states[i].Destinations, r.waves[i].MaxFailures, one.Destination, one.why)
			}
		}
	}
	return 0, ""
}

// hold sets the reason of the targets that wait without a reason.
func (r *run) hold(made *Result, why string) {
	for i := range made.Decisions {
		if made.Decisions[i].Action == Wait && made.Decisions[i].Reason == "" {
			made.Decisions[i].Reason = why
		}
	}
}

// restore sets the action Restore for the targets that the run has written, starting with the last
// wave. A target that could not be restored does not delay the others, but another process has
// until the deadline to restore its own.
func (r *run) restore(made *Result, why string) {
	last := -1
	for i := range r.targets {
		t := &r.targets[i]
		isTried := !t.Tried.IsZero() && (!t.Foreign || !r.Now.Before(t.Tried.Add(r.waves[t.wave].Deadline)))
		if r.isRestorable(t) && !isTried {
			last = max(last, t.wave)
		}
	}
	made.Phase, made.Reason = RolledBack, why
	for i := range r.targets {
		t := &r.targets[i]
		if !r.isRestorable(t) {
			continue
		}
		d := &made.Decisions[i]
		if ends := t.Tried.Add(r.waves[t.wave].Deadline); t.Tried.IsZero() || r.Now.Before(ends) {
			made.Phase = RollingBack
		} else {
			d.Dead = true
		}
		if t.wave == last || !t.Tried.IsZero() {
			d.Action, d.Reason = Restore, why
		}
	}
	r.hold(made, "the rollout was given up: "+why)
}

// isRestorable reports whether the run has replaced a content of the target.
func (r *run) isRestorable(t *target) bool {
	return t.has(func(u *Unit) bool { return r.isOfRun(u) && u.Mark.Previous })
}

// admit decides which pending targets are written now: those of the first wave that is not
// complete, or the late targets if all waves are complete.
func (r *run) admit(made *Result) {
	made.Phase = Progressing
	for i := range made.Waves {
		s := &made.Waves[i]
		if s.Complete {
			continue
		}
		r.begin(made, i)
		made.Reason = "wave " + s.Name + ": " + s.Reason
		for next := i + 1; next < len(made.Waves); next++ {
			if !made.Waves[next].Complete {
				made.Waves[next].Reason = "it waits for wave " + s.Name
			}
		}
		for next := i + 1; next < len(made.Waves); next++ {
			r.holdWave(made, next, "it waits for wave "+s.Name)
		}
		r.holdLate(made)
		return
	}
	r.admitLate(made)
}

// admitLate writes the late targets. If all of them are dead, the rollout is complete, but the
// targets are still tried.
func (r *run) admitLate(made *Result) {
	alive := 0
	for i := range r.targets {
		if t := &r.targets[i]; t.condition == late && !t.isDead {
			alive++
		}
	}
	made.Phase, made.Reason = Complete, "Destinations that could not be written in time are still tried"
	if alive > 0 {
		made.Phase, made.Reason = Progressing, "Destinations that joined are changed after all others"
	}
	for i := range r.waves {
		if made.Waves[i].Late > 0 && r.isOpen(made, i) {
			r.take(made, i, late)
		}
	}
	r.holdLate(made)
}

func (r *run) holdLate(made *Result) {
	for i := range r.targets {
		t := &r.targets[i]
		if d := &made.Decisions[i]; t.condition == late && d.Action == Wait && d.Reason == "" {
			d.Reason = "it joined during the rollout, and is changed after all others"
			if t.isDead {
				d.Reason = t.why + ", and is changed after all others"
			}
		}
	}
}

// begin writes targets of a wave, if it may begin.
func (r *run) begin(made *Result, i int) {
	s, wave := &made.Waves[i], &r.waves[i]
	if s.Reason != "" { // it soaks
		return
	}
	if wave.Approval && r.reached < i && !r.Spec.Approved[Approval(r.Revision, wave.Name)] {
		made.Phase, s.Reason = Waiting, "it waits for the approval of "+Approval(r.Revision, wave.Name)
		r.holdWave(made, i, s.Reason)
		return
	}
	if !r.isOpen(made, i) {
		return
	}
	r.take(made, i, pending)
	s.Reason = r.pendingReason(s, wave)
}

// isOpen reports whether a window of the wave is open. Otherwise it makes the targets wait.
func (r *run) isOpen(made *Result, i int) bool {
	open, next := opens(r.waves[i].Windows, r.Now)
	if open {
		return true
	}
	s := &made.Waves[i]
	s.Reason = "none of its windows ever opens"
	if !next.IsZero() {
		s.Reason = "its next window opens at " + text(next)
		r.wake(next)
	}
	if s.InFlight == 0 {
		made.Phase = Waiting
	}
	r.holdWave(made, i, s.Reason)
	return false
}

func (r *run) holdWave(made *Result, wave int, why string) {
	why = "wave " + r.waves[wave].Name + ": " + why
	for t := range r.targets {
		if one := &r.targets[t]; one.wave == wave && one.condition == pending && made.Decisions[t].Action == Wait {
			made.Decisions[t].Reason = why
		}
	}
}

// take writes as many targets of a wave as may be in flight.
func (r *run) take(made *Result, wave int, which condition) {
	s := &made.Waves[wave]
	limit := r.waves[wave].limit(s.Destinations)
	full := fmt.Sprintf("wave %s: %d Destinations may be in flight at once", s.Name, limit)
	for _, t := range r.queue(wave, which) {
		one := &r.targets[t]
		isFree := s.InFlight < limit || one.occupies && s.InFlight <= limit
		if !isFree {
			made.Decisions[t].Reason = full
			continue
		}
		if !one.occupies {
			s.InFlight++
		}
		made.Decisions[t].Action = Write
	}
}

// queue returns the indices of the targets of a wave in the order in which they are written.
// Targets that cannot be written come last. Their order changes every minute, so that each is
// tried.
func (r *run) queue(wave int, which condition) []int {
	var again, others, dead []int
	for t := range r.targets {
		switch one := &r.targets[t]; {
		case one.wave != wave || one.condition != which:
		case one.isDead:
			dead = append(dead, t)
		case one.occupies:
			again = append(again, t)
		default:
			others = append(others, t)
		}
	}
	if len(dead) > 0 {
		turn := int(r.Now.Unix()/60) % len(dead)
		dead = slices.Concat(dead[turn:], dead[:turn])
	}
	return slices.Concat(again, others, dead)
}

func (r *run) pendingReason(s *WaveState, wave *Wave) string {
	return fmt.Sprintf("%d of %d Destinations are updated, %d are to be %s", s.Updated, s.Destinations, s.InFlight, wave.Gate)
}

// leaveStart makes all other targets wait if another process is to write the first target of a new
// run. Otherwise several processes would begin a run each, and only the latest one would count.
func (r *run) leaveStart(made *Result) {
	if r.continues {
		return
	}
	first := -1
	for i := range r.targets {
		t := &r.targets[i]
		if made.Decisions[i].Action == Write && t.isPending() && !made.Decisions[i].Dead && (first < 0 || t.wave < r.targets[first].wave) {
			first = i
		}
	}
	if first < 0 || !r.targets[first].Foreign {
		return
	}
	for i := range r.targets {
		if d := &made.Decisions[i]; i != first && d.Action == Write && r.targets[i].isPending() {
			d.Action, d.Reason = Wait, "another shard begins with "+r.targets[first].Destination
		}
	}
}

// stabilize sets the action Stable for Destinations that joined and have no contents yet.
func (r *run) stabilize(made *Result) {
	if !r.Spec.Stable {
		return
	}
	for i := range r.targets {
		t := &r.targets[i]
		isEmpty := !t.has(func(u *Unit) bool { return u.Stored != "" })
		if d := &made.Decisions[i]; t.isJoined && isEmpty && d.Action == Wait {
			d.Action, d.Reason = Stable, "it joined during the rollout, and gets what the others had before"
		}
	}
}
