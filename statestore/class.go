package statestore

import (
	"errors"
	"strconv"
	"time"
)

// Class classifies the cause of a store's failure: the settings, the server, the network or
// this machine.
type Class string

// The classes of failures.
const (
	// Setting: a value in the store's object or its Secret cannot work. Field names the
	// field to change.
	Setting Class = "setting"
	// Server: the server answers; the cause is its state or its rules.
	Server Class = "server"
	// Network: the server was not reached, or its answer did not arrive.
	Network Class = "network"
	// Machine: the machine that this program runs on is the cause, such as a full
	// disk.
	Machine Class = "machine"
)

// Diagnosis is the class of a failure, and the field of the store's object to change, if
// changing one helps.
type Diagnosis struct {
	Class Class
	Field string
}

// MaxRetryAfter is the upper limit of Error.RetryAfter: a server cannot make its clients
// pause for longer.
const MaxRetryAfter = time.Hour

// ClassOf returns the class of a store's failure. If the error has no class, its sentinel
// determines it.
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

// IsTemporary reports whether the failure may be temporary, so that a retry can help without a
// change by a user.
func IsTemporary(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrStale) || errors.Is(err, ErrPending)
}

// RetryAfter returns how long the store's server requires its clients to wait before a
// retry, at most MaxRetryAfter; zero if the server named no time.
func RetryAfter(err error) time.Duration {
	var failed *Error
	if !errors.As(err, &failed) {
		return 0
	}
	return min(max(0, failed.RetryAfter), MaxRetryAfter)
}

// ParseRetryAfter parses the Retry-After header of an HTTP response: a number of seconds,
// or a time, which is relative to the server's own clock in the Date header. The result is
// at most MaxRetryAfter, and zero if the value is invalid.
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
