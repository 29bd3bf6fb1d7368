package reconcile

import (
	"errors"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Failure makes a store's error a finding.
func Failure(place finding.Place, err error) finding.Finding {
	f := finding.Finding{Rule: finding.StoreFailed(), Place: place, Message: err.Error(), Cause: causeOf(err)}
	var told *statestore.Error
	if errors.As(err, &told) {
		f.Fix = told.Hint
	}
	if told != nil && told.Field != "" && !strings.Contains(f.Fix, told.Field) {
		f.Fix = andThen(f.Fix, "check "+told.Field)
	}
	if statestore.Passes(err) {
		f.Fix = andThen(f.Fix, "the next round tries again")
		if wait := statestore.RetryAfter(err); wait > 0 {
			f.Fix += ", not before " + wait.Round(time.Second).String() + " have passed, as the server asks"
		}
	}
	return f
}

// andThen puts one more thing to do behind a fix; there may be none.
func andThen(fix, more string) string {
	if fix == "" {
		return more
	}
	return strings.TrimSuffix(fix, ".") + "; " + more
}

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
