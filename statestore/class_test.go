package statestore

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestEveryFailureHasAClass(t *testing.T) {
	for _, c := range []struct {
		err    error
		want   Class
		passes bool
	}{
		{&Error{Err: ErrMisconfigured}, Setting, false},
		{&Error{Err: ErrDenied}, Server, false},
		{&Error{Err: ErrDenied, Class: Setting}, Setting, false},
		{&Error{Err: ErrUnavailable}, Network, true},
		{&Error{Err: ErrUnavailable, Class: Machine}, Machine, true},
		{fmt.Errorf("round: %w", &Error{Err: fmt.Errorf("%w: 503", ErrUnavailable), Class: Server}), Server, true},
		{&Error{Err: ErrStale}, Server, true},
		{ErrPending, Server, true},
		{errors.New("a reader's own"), Network, false},
	} {
		if got := ClassOf(c.err); got != c.want || IsTemporary(c.err) != c.passes {
			t.Errorf("%v: %s, passes %t; want %s, %t", c.err, got, IsTemporary(c.err), c.want, c.passes)
		}
	}
}

func TestRetryAfterIsAtMostAnHour(t *testing.T) {
	for wait, want := range map[time.Duration]time.Duration{0: 0, -time.Second: 0, time.Minute: time.Minute, 48 * time.Hour: time.Hour} {
		if got := RetryAfter(fmt.Errorf("x: %w", &Error{Err: ErrUnavailable, RetryAfter: wait})); got != want {
			t.Errorf("%s: %s", wait, got)
		}
	}
	if RetryAfter(ErrUnavailable) != 0 {
		t.Error("a wait that nobody asked for")
	}
}

func TestParseRetryAfterAcceptsSecondsAndTimesByTheServersClock(t *testing.T) {
	const date = "Fri, 20 Nov 2026 10:00:00 GMT"
	for value, want := range map[string]time.Duration{
		"0": 0, "5": 5 * time.Second, "86400": time.Hour, "-5": 0, "soon": 0, "": 0, "99999999999999999999": 0,
		"Fri, 20 Nov 2026 10:01:00 GMT": time.Minute, "Fri, 20 Nov 2026 09:00:00 GMT": 0, "Sat, 20 Nov 2027 10:00:00 GMT": time.Hour,
	} {
		if got := ParseRetryAfter(value, date); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
	if got := ParseRetryAfter("Fri, 20 Nov 2026 10:01:00 GMT", ""); got != 0 {
		t.Errorf("a time without a clock: %s", got)
	}
}
