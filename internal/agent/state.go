package agent

import (
	"slices"
	"time"
)

// State is the state of one root after the events so far.
type State struct {
	// Applied is the last revision that was applied. Healthy is the last revision that was healthy,
	// unless a later health check of it failed.
	Applied Mark `json:"applied,omitzero"`
	Healthy Mark `json:"healthy,omitzero"`
	// Failure is the failure of the last attempt, or nil. A failed health check stays if the same
	// revision is then applied without a health check.
	Failure *Failure `json:"failure,omitempty"`
	// Latest is the time of the latest event.
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

// String returns the revision and the message.
func (f *Failure) String() string { return "revision " + f.Revision + ": " + f.Message }

// With returns the state after an event, and whether it differs apart from its times. An event
// older than Latest is ignored.
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

// outlasts reports whether a failure remains after an event with the outcome Applied.
func (f *Failure) outlasts(e Event) bool {
	return f.Revision == e.Revision && f.Outcome == HealthFailed
}

// same reports whether two failures are equal apart from their messages and times.
func (f *Failure) same(other *Failure) bool {
	return f.Revision == other.Revision && f.Outcome == other.Outcome &&
		slices.Equal(f.Objects, other.Objects) && slices.Equal(f.Files, other.Files)
}
