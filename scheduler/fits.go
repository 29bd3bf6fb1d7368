package scheduler

import "github.com/kratix-schedule/kratix-schedule/kratix"

// Fits reports whether a Destination has the labels that a group asks for, whatever else
// keeps new placements away from it.
func Fits(work *kratix.Work, group *kratix.WorkloadGroup, d *kratix.Destination) bool {
	return kindOf(selectorsOf(work, group), &site{Destination: Destination{Destination: d}}) == open
}
