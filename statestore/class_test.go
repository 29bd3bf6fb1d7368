package statestore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func TestEveryFailureHasAClass(t *testing.T) {
	for _, c := range []struct {
		err    error
		want   statestore.Class
		passes bool
	}{
		{&statestore.Error{Err: statestore.ErrMisconfigured}, statestore.Setting, false},
		{&statestore.Error{Err: statestore.ErrDenied}, statestore.Server, false},
		{&statestore.Error{Err: statestore.ErrDenied, Class: statestore.Setting}, statestore.Setting, false},
		{&statestore.Error{Err: statestore.ErrUnavailable}, statestore.Network, true},
		{&statestore.Error{Err: statestore.ErrUnavailable, Class: statestore.Machine}, statestore.Machine, true},
		{fmt.Errorf("round: %w", &statestore.Error{Err: fmt.Errorf("%w: 503", statestore.ErrUnavailable), Class: statestore.Server}), statestore.Server, true},
		{&statestore.Error{Err: statestore.ErrStale}, statestore.Server, true},
		{statestore.ErrPending, statestore.Server, true},
		{errors.New("a reader's own"), statestore.Network, false},
	} {
		if got := statestore.ClassOf(c.err); got != c.want || statestore.IsTemporary(c.err) != c.passes {
			t.Errorf("%v: %s, passes %t; want %s, %t", c.err, got, statestore.IsTemporary(c.err), c.want, c.passes)
		}
	}
}

func TestRetryAfterIsAtMostAnHour(t *testing.T) {
	for wait, want := range map[time.Duration]time.Duration{0: 0, -time.Second: 0, time.Minute: time.Minute, 48 * time.Hour: time.Hour} {
		if got := statestore.RetryAfter(fmt.Errorf("x: %w", &statestore.Error{Err: statestore.ErrUnavailable, RetryAfter: wait})); got != want {
			t.Errorf("%s: %s", wait, got)
		}
	}
	if statestore.RetryAfter(statestore.ErrUnavailable) != 0 {
		t.Error("a wait that nobody asked for")
	}
}

func TestParseRetryAfterAcceptsSecondsAndTimesByTheServersClock(t *testing.T) {
	const date = "Fri, 20 Nov 2026 10:00:00 GMT"
	for value, want := range map[string]time.Duration{
		"0": 0, "5": 5 * time.Second, "86400": time.Hour, "-5": 0, "soon": 0, "": 0, "99999999999999999999": 0,
		"Fri, 20 Nov 2026 10:01:00 GMT": time.Minute, "Fri, 20 Nov 2026 09:00:00 GMT": 0, "Sat, 20 Nov 2027 10:00:00 GMT": time.Hour,
	} {
		if got := statestore.ParseRetryAfter(value, date); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
	if got := statestore.ParseRetryAfter("Fri, 20 Nov 2026 10:01:00 GMT", ""); got != 0 {
		t.Errorf("a time without a clock: %s", got)
	}
}
