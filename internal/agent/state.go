package agent

import (
	"slices"
	"time"
)

// State is the state of one root after all events so far. The zero State is the state before the
// first event. A State is immutable; With returns a new one.
type State struct {
	// Applied is the last revision whose objects were all applied. Healthy is the last revision
	// whose objects were all healthy as well. It is empty after a later health check of this
	// revision has failed.
	Applied Mark `json:"applied,omitzero"`
	Healthy Mark `json:"healthy,omitzero"`
	// Failure is the failure of the last attempt, or nil if that succeeded. A failed health check
	// stays if the same revision is then applied without a health check.
	Failure *Failure `json:"failure,omitempty"`
	// Latest is the time of the last event that had a result.
	Latest time.Time `json:"latest,omitzero"`
}

// Mark is a revision with the time at which the agent reported it.
type Mark struct {
	Revision string    `json:"revision"`
	Time     time.Time `json:"time"`
}

// Failure is a failed attempt to apply a revision.
type Failure struct {
	Revision string   `json:"revision"`
	Outcome  Outcome  `json:"outcome"`
	Objects  []Object `json:"objects,omitempty"`
	Files    []string `json:"files,omitempty"`
	Message  string   `json:"message,omitempty"`
	// Since is the time of the first event with this failure.
	Since time.Time `json:"since"`
}

// String returns the revision and the message of the agent.
func (f *Failure) String() string { return "revision " + f.Revision + ": " + f.Message }

// With returns the state after an event, and whether it differs apart from its times. An event that
// is older than the last one is ignored: it is a replay, or has arrived too late.
func (s State) With(e Event) (next State, changed bool) {
	if e.Time.Before(s.Latest) {
		return s, false
	}
	next = s
	next.Latest = e.Time
	at := Mark{Revision: e.Revision, Time: e.Time}
	if e.Outcome.IsApplied() && s.Applied.Revision != e.Revision {
		next.Applied, changed = at, true
	}
	switch {
	case e.Outcome == Healthy:
		if s.Healthy.Revision != e.Revision {
			next.Healthy, changed = at, true
		}
		if s.Failure != nil {
			next.Failure, changed = nil, true
		}
	case e.Outcome == Applied:
		if s.Failure != nil && !s.Failure.outlasts(e) {
			next.Failure, changed = nil, true
		}
	case e.Outcome.IsFailure():
		failure := &Failure{Revision: e.Revision, Outcome: e.Outcome, Objects: e.Objects, Files: e.Files, Message: e.Message, Since: e.Time}
		if s.Failure == nil || !s.Failure.same(failure) {
			next.Failure, changed = failure, true
		}
		if e.Outcome == HealthFailed && s.Healthy.Revision == e.Revision {
			next.Healthy, changed = Mark{}, true
		}
	}
	return next, changed
}

// outlasts reports whether the failure f remains after the event e, which reports an apply without
// a health check. A failed health check of the same revision remains.
func (f *Failure) outlasts(e Event) bool {
	return f.Revision == e.Revision && f.Outcome == HealthFailed
}

// same reports whether two failures are equal apart from their messages, which may contain times.
func (f *Failure) same(other *Failure) bool {
	return f.Revision == other.Revision && f.Outcome == other.Outcome &&
		slices.Equal(f.Objects, other.Objects) && slices.Equal(f.Files, other.Files)
}
