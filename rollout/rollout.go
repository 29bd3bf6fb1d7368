// Package rollout decides which Destinations get a new content now, and which keep what they have.
// A [Plan] is a pure function of the wanted contents, the contents in the stores, what agents have
// reported, and the time. Its state is in the records of the placements, as a [Mark] each, so
// another process that reads the same stores decides the same.
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
	// Tried is the time since which this process has tried in vain to write the target; zero if it
	// has not. Passed is when the target has passed its gate, as this process saw it. Both are lost with
	// the process, which only delays the rollout.
	Tried, Passed time.Time
}

// Unit is a Work on a target.
type Unit struct {
	// Wanted and Stored identify the contents of all its placements there. Stored is empty if the
	// store has none.
	Wanted, Stored string
	// Mixed means that only a part of the placements has Stored, because a write was interrupted.
	// Stored is then the content that was written last.
	Mixed bool
	// Mark is the mark in the records of the placements; the zero Mark if they have none.
	Mark Mark
	// Undone means that the wanted content was rolled back on the whole fleet, and that nobody has
	// asked to try it again.
	Undone bool
	// Applied and Healthy are the times at which the agent reported the stored content as applied
	// and as healthy; zero if it has not.
	Applied, Healthy time.Time
	// Failure is the agent's message about the stored content; empty if it has not failed. FailedAt
	// is the time of the first such report.
	Failure  string
	FailedAt time.Time
	// Unhealthy means that the content is applied, and that the failure is about its health.
	Unhealthy bool
	// Refused is the reason why the wanted content was rolled back on this target alone; empty if it
	// was not. The target has failed.
	Refused string
}

// Mark says which run has written the content of a placement. It is stored in the record.
type Mark struct {
	// Run is the start of the run that has written the content, which identifies the run. It is zero
	// for a content that was written without a rollout.
	Run time.Time
	// Since is the time at which the content was written.
	Since time.Time
	// Joined is the run during which the Destination joined the fleet, if it got the former content
	// then.
	Joined time.Time
	// Late means that the content was not written in the order of the waves: after all others, or to
	// end an interrupted write. The waves do not wait for it.
	Late bool
	// Previous means that the record knows which content was there before.
	Previous bool
}

// Action is what to do with a target.
type Action string

// The actions.
const (
	// Write means that the wanted contents are written, or are there already.
	Write Action = "write"
	// Wait means that everything stays as it is.
	Wait Action = "wait"
	// Stable means that a new Destination gets the content that the others have had before.
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
	// Passed is when the target has passed its gate; zero if it has not.
	Passed time.Time
	// Dead means that the target could not be written in time.
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
	// Failed means that too many Destinations have failed, so no other one gets the content.
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
	// Waves are the states of the waves. The last one has the Destinations that no wave of the Spec
	// selects, and is left out if there are none.
	Waves []WaveState
	// Decisions has an element for each target.
	Decisions []Decision
	// Due is the next time at which the plan changes by itself; zero if there is none.
	Due time.Time
}

// WaveState is the state of a wave.
type WaveState struct {
	Name string
	// Destinations is the number of targets. Updated of them have the wanted content, and of these
	// InFlight have not passed the gate yet. Failed targets count in Updated only if they have the
	// content. Late targets joined during the run, or could not be written in time; they are last.
	Destinations, Updated, InFlight, Failed, Late int
	// Complete means that the next wave may begin.
	Complete bool
	// Reason is the reason why the wave waits. It is empty if the wave is complete.
	Reason string
}
