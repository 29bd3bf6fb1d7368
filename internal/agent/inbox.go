package agent

import (
	"errors"
	"maps"
	"sync"
)

// The errors of Inbox.Add.
var (
	// ErrNotReady is the error of Add before the Destinations are known.
	ErrNotReady = errors.New("the Destinations are not known yet")
	// ErrUnknownDestination is the error of Add for a Destination that does not exist.
	ErrUnknownDestination = errors.New("there is no such Destination")
)

// Inbox combines events into one State for each root. It is safe for concurrent use.
type Inbox struct {
	changed chan struct{}

	mu     sync.Mutex
	ready  bool
	known  map[string]struct{}
	states map[string]map[string]State
}

// NewInbox returns an Inbox without known Destinations.
func NewInbox() *Inbox {
	return &Inbox{changed: make(chan struct{}, 1), states: map[string]map[string]State{}}
}

// Changed returns a channel that receives a value after Add has changed a State. One value may
// stand for several changes.
func (b *Inbox) Changed() <-chan struct{} { return b.changed }

// Known sets the names of all Destinations, and drops the states of others.
func (b *Inbox) Known(destinations []string) {
	known := make(map[string]struct{}, len(destinations))
	for _, name := range destinations {
		known[name] = struct{}{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known, b.ready = known, true
	maps.DeleteFunc(b.states, func(name string, _ map[string]State) bool {
		_, ok := known[name]
		return !ok
	})
}

// Add adds an event to the State of its root, and reports whether the State has changed apart from
// its times. An event without a result is ignored. It returns ErrNotReady or ErrUnknownDestination.
func (b *Inbox) Add(e Event) (changed bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ready {
		return false, ErrNotReady
	}
	if _, ok := b.known[e.Destination]; !ok {
		return false, ErrUnknownDestination
	}
	if !e.isResult() {
		return false, nil
	}
	state, changed := b.states[e.Destination][e.Root].With(e)
	b.set(e.Destination, e.Root, state)
	if changed {
		select {
		case b.changed <- struct{}{}:
		default:
		}
	}
	return changed, nil
}

// set stores a State. The caller must hold the lock.
func (b *Inbox) set(destination, root string, state State) {
	roots := b.states[destination]
	if roots == nil {
		roots = map[string]State{}
		b.states[destination] = roots
	}
	roots[root] = state
}

// States returns a copy of the states by Destination and root.
func (b *Inbox) States() map[string]map[string]State {
	b.mu.Lock()
	defer b.mu.Unlock()
	states := make(map[string]map[string]State, len(b.states))
	for name, roots := range b.states {
		states[name] = maps.Clone(roots)
	}
	return states
}

// Restore merges stored states into the states, by Destination and root.
func (b *Inbox) Restore(states map[string]map[string]State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, roots := range states {
		for root, state := range MergeStates(b.states[name], roots) {
			b.set(name, root, state)
		}
	}
}
