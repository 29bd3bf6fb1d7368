package layout

import "time"

// Rollout identifies the rollout that has written the content of a placement. The fields are in the order of
// their names, as in a record.
type Rollout struct {
	// Content is the digest of the content of the Work on the Destination.
	Content string `json:"content" yaml:"content"`
	// Joined is the run during which the Destination joined, if it got the former content then.
	Joined Time `json:"joined,omitzero" yaml:"joined,omitempty"`
	// Late means that the content was not written in the order of the waves.
	Late bool `json:"late,omitempty" yaml:"late,omitempty"`
	// Name is the name of the Rollout.
	Name string `json:"name" yaml:"name"`
	// Previous is the content that was there before. It is nil if there was none.
	Previous *Previous `json:"previous,omitempty" yaml:"previous,omitempty"`
	// Run is the start of the run that has written the content. It is zero if no run has.
	Run Time `json:"run,omitzero" yaml:"run,omitempty"`
	// Since is the time at which the content was written.
	Since Time `json:"since,omitzero" yaml:"since,omitempty"`
}

// Previous is a former content of a placement.
type Previous struct {
	// Content is the digest of the content, if it is known.
	Content string `json:"content,omitempty" yaml:"content,omitempty"`
	// Revision is a revision of the store that has the content.
	Revision string `json:"revision,omitempty" yaml:"revision,omitempty"`
}

// Time is a time in a record.
type Time struct{ time.Time }

// MarshalYAML returns the time as text, so that it is quoted.
func (t Time) MarshalYAML() (any, error) { return t.UTC().Format(time.RFC3339), nil }

// Before returns the mark of the placement after the content that was there before was restored at
// the given time. It returns nil for a nil mark.
func (r *Rollout) Before(since Time) *Rollout {
	if r == nil {
		return nil
	}
	former := &Rollout{Name: r.Name, Since: since}
	if r.Previous != nil {
		former.Content = r.Previous.Content
	}
	return former
}
