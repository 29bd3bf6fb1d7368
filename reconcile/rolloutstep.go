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
	// isFormer means that files replace the wanted files. undone is the new entry about rolled-back
	// files, without their digest, or nil.
	isFormer bool
	files    []tree.File
	undone   *layout.RolledBack
	reason   string
}

// waitingPlacement is a placement that this round does not change. stored is the recorded
// placement, or nil.
type waitingPlacement struct {
	work              string
	directory, reason string
	stored            *kratix.WorkPlacement
}

// same reports whether two steps lead to the same files and records.
func (s *rolloutStep) same(other *rolloutStep) bool {
	sameMark := s.mark == other.mark || s.mark != nil && other.mark != nil && *s.mark == *other.mark
	return sameMark && s.isFormer == other.isFormer && s.reason == other.reason && slices.EqualFunc(s.files, other.files, sameFile)
}
