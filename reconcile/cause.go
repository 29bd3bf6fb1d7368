package reconcile

import (
	"errors"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// causeOf returns in which way a store failed; nothing if its error does not say.
func causeOf(err error) finding.Cause {
	var told *statestore.Error
	if !errors.As(err, &told) {
		return ""
	}
	switch told.Op {
	case "open":
		return finding.Unopened
	case "read":
		return finding.Unreadable
	}
	if errors.Is(err, statestore.ErrDenied) {
		return finding.Refused
	}
	return finding.Unwritten
}

// lacks reports whether a Secret is named and is not there. One that is there and
// cannot be read was reported by the source.
func (w *world) lacks(ref *kratix.SecretReference) bool {
	return ref != nil && w.secret(ref) == nil && !w.lookup.reported[kratix.SecretKind+" "+ref.Key().String()]
}
