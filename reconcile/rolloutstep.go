package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// rolloutStep is the action of a rollout on a placement.
type rolloutStep struct {
	// mark is the new mark of the record.
	mark *layout.Rollout
	// isFormer means that files are written instead of the wanted ones. undone is the entry of the
	// record about the wanted files, except for their digest; nil if they are not rolled back.
	isFormer bool
	files    []tree.File
	undone   *layout.RolledBack
	reason   string
}

// waitingPlacement is a placement that is not changed before a later round. stored is the placement
// of its record; nil if it is not recorded.
type waitingPlacement struct {
	work              string
	directory, reason string
	stored            *kratix.WorkPlacement
}

// same reports whether two steps lead to the same files and records. A step that writes has another
// time in each round.
func (s *rolloutStep) same(other *rolloutStep) bool {
	sameMark := s.mark == other.mark || s.mark != nil && other.mark != nil && *s.mark == *other.mark
	return sameMark && s.isFormer == other.isFormer && s.reason == other.reason && slices.EqualFunc(s.files, other.files, sameFile)
}
