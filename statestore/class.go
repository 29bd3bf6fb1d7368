package statestore

import (
	"errors"
	"strconv"
	"time"
)

// Class is the cause of a store's failure: its settings, the server, the network or this machine.
type Class string

// These are the classes of failures.
const (
	// Setting means that a value in the store's object or its Secret cannot work.
	Setting Class = "setting"
	// Server means that the state or the rules of the server are the cause.
	Server Class = "server"
	// Network means that the server was not reached, or that its response did not arrive.
	Network Class = "network"
	// Machine means that this machine is the cause, for example a full disk.
	Machine Class = "machine"
)

// Diagnosis is the class of a failure, and the field of the store's object to change. Field may be
// empty.
type Diagnosis struct {
	Class Class
	Field string
}

// MaxRetryAfter is the maximum result of RetryAfter and ParseRetryAfter.
const MaxRetryAfter = time.Hour

// ClassOf returns the class of a store's failure. If the error has no class, its kind determines
// the class.
func ClassOf(err error) Class {
	var failed *Error
	if errors.As(err, &failed) && failed.Class != "" {
		return failed.Class
	}
	switch {
	case errors.Is(err, ErrMisconfigured):
		return Setting
	case errors.Is(err, ErrDenied), errors.Is(err, ErrStale), errors.Is(err, ErrPending), errors.Is(err, ErrThrottled):
		return Server
	}
	return Network
}

// IsTemporary reports whether trying again may help without a change by a user.
func IsTemporary(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrStale) || errors.Is(err, ErrPending) || errors.Is(err, ErrThrottled)
}

// RetryAfter returns how long the server demands that clients wait, at most MaxRetryAfter. It
// returns zero if the server demands nothing.
func RetryAfter(err error) time.Duration {
	var failed *Error
	if !errors.As(err, &failed) {
		return 0
	}
	return min(max(0, failed.RetryAfter), MaxRetryAfter)
}

// ParseRetryAfter parses the Retry-After header of an HTTP response: a number of seconds, or a time
// by the clock of the Date header. It returns at most MaxRetryAfter, and zero for invalid values.
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
