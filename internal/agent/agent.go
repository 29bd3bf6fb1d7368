// Package agent parses the events that Flux and Argo CD send, and derives the state of each root
// from them. It does no I/O.
package agent

import (
	"time"
)

// Event is the report of an agent about a root of a Destination.
type Event struct {
	// Destination is the name of the Destination.
	Destination string
	// Root is "dependencies", "resources", or "" if the directory of the Destination is the root.
	Root string
	// Revision is a commit or a digest of the state store, without the branch. It may be empty.
	Revision string
	Outcome  Outcome
	// Objects are failing objects that the agent names, sorted; there are at most MaxObjects.
	Objects []Object
	// Files are paths at which the build failed. A path is relative to the root, or with a leading
	// slash to the repository or bucket.
	Files []string
	// Message is the message of the agent, at most MaxMessage bytes long.
	Message string
	// Time is the time of the event, by the agent's clock.
	Time time.Time
}

// The limits of an Event.
const (
	// MaxObjects is the maximum number of objects in an Event.
	MaxObjects = 16
	// MaxMessage is the maximum size of the message of an Event, in bytes.
	MaxMessage = 4096
)

// Object identifies an object of a cluster, without its API group.
type Object struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// The names of the roots, if a Destination has two.
const (
	Dependencies = "dependencies"
	Resources    = "resources"
)

// Roots returns the possible values of Event.Root.
func Roots() []string { return []string{"", Dependencies, Resources} }

// String returns Kind/namespace/name, or Kind/name without a namespace.
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + "/" + o.Name
	}
	return o.Kind + "/" + o.Namespace + "/" + o.Name
}

// Outcome is the result of an attempt to apply a revision.
type Outcome string

// The values of Outcome.
const (
	// None means that the event reports nothing about the objects of a root.
	None Outcome = ""
	// Progressing means that the attempt has no result yet.
	Progressing Outcome = "Progressing"
	// Applied means that all objects of the root are applied. Their health is not known.
	Applied Outcome = "Applied"
	// Healthy means that all objects of the root are applied, and that those with a health check
	// are healthy.
	Healthy Outcome = "Healthy"
	// BuildFailed means that the root could not be fetched or built.
	BuildFailed Outcome = "BuildFailed"
	// ApplyFailed means that not all objects could be applied.
	ApplyFailed Outcome = "ApplyFailed"
	// HealthFailed means that all objects are applied, but a health check or a hook of Argo CD has
	// failed.
	HealthFailed Outcome = "HealthFailed"
	// PruneFailed means that former objects could not be deleted.
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

// IsApplied reports whether an outcome means that all objects of the root are applied.
func (o Outcome) IsApplied() bool {
	switch o {
	case Applied, Healthy, HealthFailed, PruneFailed:
		return true
	}
	return false
}

// isResult reports whether an event is the result of an attempt. It is false for applied objects of
// an unknown revision.
func (e Event) isResult() bool {
	if e.Outcome.IsApplied() {
		return e.Revision != ""
	}
	return e.Outcome.IsFailure()
}
