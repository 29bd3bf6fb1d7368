package reconcile

import "github.com/kratix-schedule/kratix-schedule/source"

// Follower is a statestore.Opener whose stores depend on the input. Follow is called with the
// input of a round before a store is opened.
type Follower interface {
	Follow(snapshot source.Snapshot)
}
