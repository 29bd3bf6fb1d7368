package statestore

import (
	"errors"
	"strconv"
	"time"
)

// Class is the class of a store's failure: whether the settings, the server, the network or this
// machine is the cause.
type Class string

// The classes of failures.
const (
	// Setting means that a value in the store's object or its Secret cannot work. Diagnosis.Field
	// names the field to change.
	Setting Class = "setting"
	// Server means that the server answers, and that its state or its rules are the cause.
	Server Class = "server"
	// Network means that the server was not reached, or that its answer did not arrive.
	Network Class = "network"
	// Machine means that the machine on which this program runs is the cause, for example because
	// of a full disk.
	Machine Class = "machine"
)

// Diagnosis is the class of a failure. Field is the field of the store's object to change, if a
// change helps.
type Diagnosis struct {
	Class Class
	Field string
}

// MaxRetryAfter is the maximum that RetryAfter and ParseRetryAfter return. A server cannot make its
// clients wait for longer.
const MaxRetryAfter = time.Hour

// ClassOf returns the class of a store's failure. If the error has no class, ClassOf returns the
// class for the error that it wraps, such as Setting for ErrMisconfigured. The class of all other
// errors is Network.
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

// IsTemporary reports whether the failure may be temporary, so that trying again may help without a
// change by a user.
func IsTemporary(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrStale) || errors.Is(err, ErrPending) || errors.Is(err, ErrThrottled)
}

// RetryAfter returns how long the server demands that its clients wait before they try again. It
// returns at most MaxRetryAfter, and zero if the server has demanded nothing.
func RetryAfter(err error) time.Duration {
	var failed *Error
	if !errors.As(err, &failed) {
		return 0
	}
	return min(max(0, failed.RetryAfter), MaxRetryAfter)
}

// ParseRetryAfter parses the Retry-After header of an HTTP response. The value is a number of
// seconds, or a time by the server's clock, which is in the Date header. The result is at most
// MaxRetryAfter. It is zero if the value is invalid, or if it is a time and the date is invalid.
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
