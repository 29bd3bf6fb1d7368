package reconcile

import "time"

// guardState is what the deletion guard depends on beside the plan, and what it
// decides.
type guardState struct {
	now     time.Time
	window  time.Duration
	allowed Allowance
	// allowedWhy is why the user's word cannot be read.
	allowedWhy error

	removals  removals
	judgement judgement
	// guarded are the counted removals by Destination.
	guarded map[string]int
}

// guardState returns the state at the beginning of a round.
func (r *Reconciler) guardState() guardState {
	state := guardState{window: r.Policy.RemovalWindow, allowed: r.Policy.Allow}
	if r.Now != nil {
		state.now = r.Now()
	}
	if r.Allowed != nil {
		word, err := r.Allowed(state.now)
		state.allowedWhy = err
		if word != (Allowance{}) && err == nil {
			state.allowed = word
		}
	}
	return state
}
