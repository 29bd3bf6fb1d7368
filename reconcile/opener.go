package reconcile

import "github.com/kratix-schedule/kratix-schedule/source"

// Follower is a statestore.Opener whose stores depend on the input. A round calls Follow before it
// opens stores.
type Follower interface {
	Follow(snapshot source.Snapshot)
}
