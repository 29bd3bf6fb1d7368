package reconcile

import (
	"errors"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Failure returns the finding about a store's error.
func Failure(place finding.Place, err error) finding.Finding {
	f := finding.Finding{Rule: finding.StoreFailed(), Place: place, Message: err.Error(), Cause: causeOf(err)}
	var storeErr *statestore.Error
	if errors.As(err, &storeErr) {
		f.Fix = storeErr.Fix
	}
	if storeErr != nil && storeErr.Field != "" && !strings.Contains(f.Fix, storeErr.Field) {
		f.Fix = andThen(f.Fix, "check "+storeErr.Field)
	}
	if statestore.IsTemporary(err) {
		f.Fix = andThen(f.Fix, "the next round tries again")
		if wait := statestore.RetryAfter(err); wait > 0 {
			f.Fix += ", not before " + wait.Round(time.Second).String() + " have passed, as the server asks"
		}
	}
	return f
}

func andThen(fix, more string) string {
	if fix == "" {
		return more
	}
	return strings.TrimSuffix(fix, ".") + "; " + more
}

// causeOf returns the cause for a store's error, or "" for another error.
func causeOf(err error) finding.Cause {
	var storeErr *statestore.Error
	if !errors.As(err, &storeErr) {
		return ""
	}
	switch storeErr.Op {
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
