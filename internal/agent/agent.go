// Package agent turns what Flux and Argo CD report about the clusters behind Destinations into
// events, and the events of a root into its state. It does no I/O.
package agent

import (
	"time"
)

// Event is what an agent reports about one root of a Destination.
type Event struct {
	// Destination is the Destination's name.
	Destination string
	// Root is the directory of the root, relative to that of the Destination: "dependencies" or
	// "resources"; empty if the Destination is one root.
	Root string
	// Revision is the revision of the state store that the agent has seen, without the branch: a
	// commit, or for a bucket "sha256:" and a digest.
	Revision string
	Outcome  Outcome
	// Objects are the objects that the message names as failing, at most MaxObjects.
	Objects []Object
	// Message has the agent's words, at most MaxMessage bytes.
	Message string
	// Time is when the agent has sent the event, by its own clock.
	Time time.Time
}

// Bounds on an Event.
const (
	// MaxObjects bounds the number of objects of an Event.
	MaxObjects = 16
	// MaxMessage bounds the message of an Event, in bytes.
	MaxMessage = 4096
)

// Object is an object of a cluster as an agent names it. Flux leaves out the API group, and
// the namespace of an object that has none.
type Object struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String returns the object as Flux writes it: Kind/namespace/name, or Kind/name.
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + "/" + o.Name
	}
	return o.Kind + "/" + o.Namespace + "/" + o.Name
}

// Outcome is the result of what an agent did with a revision.
type Outcome string

// The outcomes.
const (
	// Progressing: the agent is at work, or waits for something else.
	Progressing Outcome = "Progressing"
	// Applied: all objects of the root are applied. Whether they are healthy is not known.
	Applied Outcome = "Applied"
	// Healthy: all objects of the root are applied, and those whose health is checked are healthy.
	Healthy Outcome = "Healthy"
	// BuildFailed: the root cannot be built, so nothing of it is applied.
	BuildFailed Outcome = "BuildFailed"
	// ApplyFailed: an object was refused. Objects that are applied before it may be applied.
	ApplyFailed Outcome = "ApplyFailed"
	// HealthFailed: all objects are applied, and some are not healthy.
	HealthFailed Outcome = "HealthFailed"
	// PruneFailed: all objects are applied, and some that are no longer wanted cannot be deleted.
	PruneFailed Outcome = "PruneFailed"
)

// IsFailure reports whether an outcome is a failure.
func (o Outcome) IsFailure() bool {
	switch o {
	case BuildFailed, ApplyFailed, HealthFailed, PruneFailed:
		return true
	}
	return false
}

// IsApplied reports whether all objects of the root are applied after an outcome.
func (o Outcome) IsApplied() bool {
	switch o {
	case Applied, Healthy, HealthFailed, PruneFailed:
		return true
	}
	return false
}
