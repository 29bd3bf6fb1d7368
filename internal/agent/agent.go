// Package agent converts the reports of Flux and Argo CD about the clusters of Destinations to
// events, and the events of a root to its state. It does no I/O.
package agent

import (
	"time"
)

// Event is the report of an agent about one root of a Destination.
type Event struct {
	// Destination is the Destination's name.
	Destination string
	// Root is the path of the root relative to the directory of the Destination: "dependencies",
	// "resources", or empty if that directory is the root.
	Root string
	// Revision is the revision of the state store that the agent has seen, without the branch: a
	// commit, or "sha256:" and a digest for a bucket. It is empty if the agent does not report one.
	Revision string
	Outcome  Outcome
	// Objects are the failing objects that the agent names: sorted, and at most MaxObjects.
	Objects []Object
	// Files are the paths of files, or of directories with a kustomization, that the message names
	// as failing: at most MaxObjects. A path is relative to the root; if it begins with a slash, it
	// is relative to the repository or bucket.
	Files []string
	// Message is the message of the agent, at most MaxMessage bytes long.
	Message string
	// Time is the time at which the agent sent the event, by the agent's clock.
	Time time.Time
}

// The limits of an Event.
const (
	// MaxObjects is the maximum number of objects in an Event.
	MaxObjects = 16
	// MaxMessage is the maximum size of the message of an Event, in bytes.
	MaxMessage = 4096
)

// Object is an object of a cluster as an agent names it. Flux omits the API group, and the
// namespace of a cluster-scoped object.
type Object struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// The names of the directories of roots in package layout.
const (
	Dependencies = "dependencies"
	Resources    = "resources"
)

// Roots returns the possible values of Event.Root.
func Roots() []string { return []string{"", Dependencies, Resources} }

// String returns the object in the notation of Flux: Kind/namespace/name, or Kind/name.
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
	// Progressing means that the agent has not finished, or waits for something.
	Progressing Outcome = "Progressing"
	// Applied means that all objects of the root are applied. Their health is not known.
	Applied Outcome = "Applied"
	// Healthy means that all objects of the root are applied, and that those with a health check
	// are healthy.
	Healthy Outcome = "Healthy"
	// BuildFailed means that the root cannot be built, so nothing of the revision is applied.
	BuildFailed Outcome = "BuildFailed"
	// ApplyFailed means that an object was refused. The agent may have applied other objects
	// before.
	ApplyFailed Outcome = "ApplyFailed"
	// HealthFailed means that all objects are applied, but some are not healthy, or a hook of Argo
	// CD has failed.
	HealthFailed Outcome = "HealthFailed"
	// PruneFailed means that all objects are applied, but some former objects cannot be deleted.
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

// isResult reports whether an event has the result of an attempt. If all objects are applied, the
// event must have the revision.
func (e Event) isResult() bool {
	if e.Outcome.IsApplied() {
		return e.Revision != ""
	}
	return e.Outcome.IsFailure()
}
