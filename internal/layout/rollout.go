package layout

import "time"

// Rollout is the mark of a rollout in a record. The fields are in the order of their names, as in a
// record.
type Rollout struct {
	// Content is the digest of the content of the Work on the Destination.
	Content string `json:"content" yaml:"content"`
	// Joined is the start of the run during which the Destination joined and got the former content,
	// or zero.
	Joined Time `json:"joined,omitzero" yaml:"joined,omitempty"`
	// Late means that the content was not written in the order of the waves.
	Late bool `json:"late,omitempty" yaml:"late,omitempty"`
	// Name is the name of the Rollout.
	Name string `json:"name" yaml:"name"`
	// Previous is the content before the rollout, or nil.
	Previous *Previous `json:"previous,omitempty" yaml:"previous,omitempty"`
	// Run is the start of the run that has written the content, or zero.
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

// Before returns the mark of the placement after its previous content was restored at the given
// time, or nil for a nil mark.
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
