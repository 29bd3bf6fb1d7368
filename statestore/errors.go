package statestore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// The kinds of store failures. Every error of a store is an *Error that wraps one of these,
// so that callers can distinguish them with errors.Is.
var (
	// ErrStale: another writer has written since Base was read. Read again and retry.
	ErrStale = errors.New("the store has moved on")
	// ErrDenied: the credentials are wrong or lack a permission, or a rule of the server (a
	// hook, a protected branch) rejected the write.
	ErrDenied = errors.New("the store refused")
	// ErrContentRefused: the server rejected the content of the changes (a hook that found
	// a key in a file, a key too long for S3); other changes may be accepted. It is a kind
	// of ErrDenied.
	ErrContentRefused error = contentRefused{}
	// ErrUnavailable: the store cannot be reached or responds with an error that may be
	// temporary.
	ErrUnavailable = errors.New("the store is unavailable")
	// ErrMisconfigured: a value of the store's object cannot work (no such repository, a
	// malformed URL); a retry does not help.
	ErrMisconfigured = errors.New("the store is misconfigured")
	// ErrPending: the write is in progress or queued behind another one. A later state
	// shows the outcome; the caller need not retry.
	ErrPending = errors.New("the write is still in progress")
	// ErrUnknownRevision: the store cannot read an earlier revision.
	ErrUnknownRevision = errors.New("the revision cannot be read")
)

// contentRefused is the type of ErrContentRefused.
type contentRefused struct{}

// Error returns the sentinel's text.
func (contentRefused) Error() string { return "the store refused the content" }

// Is reports whether target is ErrDenied, the sentinel of all rejections by a store.
func (contentRefused) Is(target error) bool { return target == ErrDenied }

// Error is a store's failure, in the form that is shown to users.
type Error struct {
	// Op is the failed operation: "read", "write", "open".
	Op string
	// Store is the store's kind and name.
	Store string
	// Err wraps one of the package's sentinels.
	Err error
	// Remote is the server's own message, if it sent one.
	Remote string
	// Fix is the suggested fix.
	Fix string
	// Class is the class of the cause; see ClassOf for errors without a class.
	Class Class
	// Field is the field of the store's object to change, such as spec.url; empty if no
	// change of a field helps.
	Field string
	// RetryAfter is how long the server requires its clients to wait before a retry; zero
	// if it named no time. See the function RetryAfter.
	RetryAfter time.Duration
	// Paths are the changed files that the server rejected individually, if the error is
	// ErrContentRefused and the server named them.
	Paths []tree.Path
}

// Error returns one line: the operation, the store, the cause and the server's message.
// Credentials in URLs are redacted.
func (e *Error) Error() string {
	text := e.Op + " " + e.Store + ": " + e.Err.Error()
	if e.Remote != "" {
		text += ": the server says: " + strings.TrimSpace(e.Remote)
	}
	return RedactURLs(text)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Ended returns an error for an operation on a store if its context has ended, and nil
// otherwise.
func Ended(ctx context.Context, op, store string) error {
	if err := ctx.Err(); err != nil {
		return &Error{Op: op, Store: store, Err: fmt.Errorf("%w: %w", ErrUnavailable, err)}
	}
	return nil
}
