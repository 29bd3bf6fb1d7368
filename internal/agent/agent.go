// Package agent turns what Flux and Argo CD report about the clusters behind Destinations into
// events, and the events of a root into its state. It does no I/O.
package agent

import (
	"time"
)

// Event is the report of an agent about one root of a Destination.
type Event struct {
	// Destination is the Destination's name.
	Destination string
	// Root is the directory of the root, relative to that of the Destination: "dependencies" or
	// "resources"; empty if the Destination is one root.
	Root string
	// Revision is the revision of the state store that the agent has seen, without the branch: a
	// commit, or for a bucket "sha256:" and a digest. It is empty if the agent does not know it.
	Revision string
	Outcome  Outcome
	// Objects are the objects that the message names as failing, sorted, at most MaxObjects.
	Objects []Object
	// Files are the paths that the message names as failing, at most MaxObjects: files, or
	// directories with a kustomization. A path is relative to the root or, if it begins with a
	// slash, to the repository or bucket.
	Files []string
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

// The directories of roots, as package layout names them.
const (
	Dependencies = "dependencies"
	Resources    = "resources"
)

// Roots returns the roots that an Event can be about.
func Roots() []string { return []string{"", Dependencies, Resources} }

// String returns the object as Flux writes it: Kind/namespace/name, or Kind/name.
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + "/" + o.Name
	}
	return o.Kind + "/" + o.Namespace + "/" + o.Name
}

// Outcome is the result of an attempt to apply a revision.
type Outcome string

// The outcomes.
const (
	// None: the event reports nothing about the objects of a root.
	None Outcome = ""
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

// isResult reports whether an event has the result of an attempt: a failure, or a revision that
// is applied.
func (e Event) isResult() bool {
	if e.Outcome.IsApplied() {
		return e.Revision != ""
	}
	return e.Outcome.IsFailure()
}
