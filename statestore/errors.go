package statestore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// The ways in which a store fails. Every error of a store is an *Error that
// wraps one of these, so that callers decide by errors.Is.
var (
	// ErrStale: someone else wrote since Base was read. Read again and repeat.
	ErrStale = errors.New("the store has moved on")
	// ErrDenied: credentials are wrong or may not do this, or a rule of the
	// server (a hook, a protected branch) refused the write.
	ErrDenied = errors.New("the store refused")
	// ErrContentRefused: the server refused what the changes hold (a hook that
	// found a key in a file, a key too long for S3); other changes may pass. It
	// is one kind of ErrDenied.
	ErrContentRefused error = contentRefused{}
	// ErrUnavailable: the store cannot be reached or answers with an error that
	// may pass.
	ErrUnavailable = errors.New("the store is unavailable")
	// ErrMisconfigured: what the store's object says cannot work (no such
	// repository, a malformed URL); repeating does not help.
	ErrMisconfigured = errors.New("the store is misconfigured")
	// ErrPending: the write is in hand, or waits for another that is. What came of
	// it shows in a later state; nothing needs to be repeated.
	ErrPending = errors.New("the write goes on")
)

// contentRefused is the type of ErrContentRefused.
type contentRefused struct{}

// Error returns the sentinel's text.
func (contentRefused) Error() string { return "the store refused the content" }

// Is reports whether target is the general sentinel for a store that refuses.
func (contentRefused) Is(target error) bool { return target == ErrDenied }

// Error is a store's failure, as a user reads it.
type Error struct {
	// Op is what was tried: "read", "write", "open".
	Op string
	// Store is the store's kind and name.
	Store string
	// Err wraps one of the package's sentinels.
	Err error
	// Remote holds the server's own words, if it said any.
	Remote string
	// Hint is what to do about it.
	Hint string
	// Class says where the cause lies; see ClassOf for errors that have none.
	Class Class
	// Field is the field of the store's object to change, such as spec.url; empty
	// when no change of it helps.
	Field string
	// RetryAfter is how long the server asks to be left alone; zero when it does
	// not. See the function RetryAfter.
	RetryAfter time.Duration
	// Paths are the files of the changes that the server refused one by one, if
	// the error is ErrContentRefused and the server named them.
	Paths []tree.Path
}

// Error returns one line: the operation, the store, the cause, the server's words.
// What URLs in it may have of credentials is left out.
func (e *Error) Error() string {
	text := e.Op + " " + e.Store + ": " + e.Err.Error()
	if e.Remote != "" {
		text += ": the server says: " + strings.TrimSpace(e.Remote)
	}
	return RedactURLs(text)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Ended returns the error of an operation on a store whose context has ended; nil
// while it has not.
func Ended(ctx context.Context, op, store string) error {
	if err := ctx.Err(); err != nil {
		return &Error{Op: op, Store: store, Err: fmt.Errorf("%w: %w", ErrUnavailable, err)}
	}
	return nil
}
