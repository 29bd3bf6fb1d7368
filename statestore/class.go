package statestore

import (
	"errors"
	"strconv"
	"time"
)

// Class says where the cause of a store's failure lies.
type Class string

// The classes of failures.
const (
	// Setting: the store's object or its Secret says something that cannot work.
	// Field names what to change.
	Setting Class = "setting"
	// Server: the server answers, and its state or its rules are the cause.
	Server Class = "server"
	// Network: the server was not reached, or its answer did not arrive.
	Network Class = "network"
	// Machine: the machine that this program runs on is the cause, such as a full
	// disk.
	Machine Class = "machine"
)

// Blame says where the cause of a failure lies, and which field of the store's
// object to change, if that helps.
type Blame struct {
	Class Class
	Field string
}

// MaxRetryAfter bounds Error.RetryAfter: no server keeps its clients away for
// longer.
const MaxRetryAfter = time.Hour

// ClassOf returns the class of a store's failure. Where the error does not say, its
// sentinel decides.
func ClassOf(err error) Class {
	var failed *Error
	if errors.As(err, &failed) && failed.Class != "" {
		return failed.Class
	}
	switch {
	case errors.Is(err, ErrMisconfigured):
		return Setting
	case errors.Is(err, ErrDenied), errors.Is(err, ErrStale), errors.Is(err, ErrPending):
		return Server
	}
	return Network
}

// Passes reports whether the failure may pass without anybody's doing, so that a
// repetition can help.
func Passes(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrStale) || errors.Is(err, ErrPending)
}

// RetryAfter returns how long the server of a store asks to be left alone, at most
// MaxRetryAfter; zero when it does not.
func RetryAfter(err error) time.Duration {
	var failed *Error
	if !errors.As(err, &failed) {
		return 0
	}
	return min(max(0, failed.RetryAfter), MaxRetryAfter)
}

// ParseRetryAfter reads the header Retry-After of an HTTP answer: a number of
// seconds, or a time, which counts from the server's own clock, the header Date. The
// result is at most MaxRetryAfter, and zero for what is neither.
func ParseRetryAfter(value, date string) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, MaxRetryAfter) //nolint:gosec // 31 bits fit
	}
	then, err := time.Parse(time.RFC1123, value)
	if err != nil {
		return 0
	}
	now, err := time.Parse(time.RFC1123, date)
	if err != nil {
		return 0
	}
	return min(max(0, then.Sub(now)), MaxRetryAfter)
}
