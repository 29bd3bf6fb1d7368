// Package rollout decides which Destinations get a new content now. A plan ([Plan]) is a pure
// function of its input. Its state is in the records of the placements, as a [Mark] each, so
// another process that reads the same stores makes the same decisions.
package rollout

import "time"

// Input is everything that a plan depends on.
type Input struct {
	Spec *Spec
	// Targets are the Destinations of the selected Works, sorted by name.
	Targets []Target
	// Revision identifies the wanted contents of all targets together.
	Revision string
	Now      time.Time
	// Watching is the time since which this process receives the reports of agents.
	Watching time.Time
}

// Target is a Destination with the selected Works on it.
type Target struct {
	Destination string
	Labels      Labels
	Units       []Unit
	// Foreign means that another process writes the target. It makes the same plan, perhaps later.
	Foreign bool
	// Tried is the time since which this process has tried to write the target, or zero. Passed is the
	// time at which this process saw that the target has passed its gate. A restart clears both, which
	// only delays the rollout.
	Tried, Passed time.Time
}

// Unit is a Work on a target.
type Unit struct {
	// Wanted and Stored identify the contents of the Work's placements on the target. Stored is empty
	// if the store has none.
	Wanted, Stored string
	// Mixed means that only a part of the placements has Stored, because a write was interrupted.
	// Stored is then the content that was written last.
	Mixed bool
	// Mark is the mark in the records of the placements, or the zero Mark.
	Mark Mark
	// Undone means that the wanted content was rolled back on the whole fleet, and that no retry is
	// requested.
	Undone bool
	// Applied and Healthy are the times at which the agent reported the stored content as applied and
	// as healthy, or zero.
	Applied, Healthy time.Time
	// Failure is the agent's message about a failure of the stored content, or empty. FailedAt is the
	// time of the first such report.
	Failure  string
	FailedAt time.Time
	// Unhealthy means that the content is applied, and that the failure is about its health.
	Unhealthy bool
	// Refused is the reason why the wanted content was rolled back on this target alone, or empty.
	Refused string
}

// Mark describes the write of a placement's content. It is stored in the record.
type Mark struct {
	// Run is the start of the run that has written the content, or zero without a rollout.
	Run time.Time
	// Since is the time at which the content was written.
	Since time.Time
	// Joined is the start of the run during which the Destination joined and got the former content,
	// or zero.
	Joined time.Time
	// Late means that the content was not written in the order of the waves: after all others, or to
	// end an interrupted write.
	Late bool
	// Previous means that the record knows the content from before the run.
	Previous bool
}

// Action is the action for a target.
type Action string

// The actions.
const (
	// Write means that the wanted contents are written, or are there already.
	Write Action = "write"
	// Wait means that the target stays as it is.
	Wait Action = "wait"
	// Stable means that a new Destination gets the former content of the others.
	Stable Action = "stable"
	// Restore means that the former content is written.
	Restore Action = "restore"
)

// Decision is the action for a target, with the reason.
type Decision struct {
	Action Action
	// Wave is the index of the target's wave.
	Wave   int
	Reason string
	// Passed is the time at which the target has passed its gate, or zero.
	Passed time.Time
	// Dead means that the target could not be written or restored.
	Dead bool
	// Late is the value of Mark.Late for the contents that are written.
	Late bool
}

// Phase is the state of a rollout.
type Phase string

// The phases.
const (
	Complete    Phase = "Complete"
	Progressing Phase = "Progressing"
	// Waiting means that a wave waits for an approval or for a window.
	Waiting Phase = "Waiting"
	Paused  Phase = "Paused"
	// Failed means that too many Destinations have failed, so that no other Destination gets the
	// content.
	Failed      Phase = "Failed"
	RollingBack Phase = "RollingBack"
	RolledBack  Phase = "RolledBack"
)

// Result is a plan.
type Result struct {
	Phase  Phase
	Reason string
	// Run is the start of the run, for the marks of the targets that are written.
	Run time.Time
	// Waves are the states of the waves. The last wave has the Destinations that no wave of the Spec
	// selects, and is left out if there are none.
	Waves []WaveState
	// Decisions has an element for each target.
	Decisions []Decision
	// Due is the next time at which the plan changes by itself, or zero.
	Due time.Time
}

// WaveState is the state of a wave.
type WaveState struct {
	Name string
	// Destinations is the number of targets. Updated of them have the wanted contents. InFlight is the
	// number that counts for MaxConcurrent. Late targets are written after all others.
	Destinations, Updated, InFlight, Failed, Late int
	// Complete means that the next wave may begin.
	Complete bool
	// Reason is the reason why the wave waits, or empty.
	Reason string
}
