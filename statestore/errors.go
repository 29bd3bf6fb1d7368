package statestore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// These are the kinds of store failures. Callers distinguish them with errors.Is.
var (
	// ErrStale means that another writer has written since Base was read. The caller should read
	// and try again.
	ErrStale = errors.New("the store has moved on")
	// ErrDenied means that the credentials are wrong or lack a permission, or that a rule of the
	// server has rejected the write.
	ErrDenied = errors.New("the store refused")
	// ErrContentRefused means that the server has rejected the content of the changes or cannot
	// store it. The server may accept other changes. It is also an ErrDenied for errors.Is.
	ErrContentRefused error = contentRefused{}
	// ErrUnavailable means that the store cannot be reached, or responds with an error that may be
	// temporary.
	ErrUnavailable = errors.New("the store is unavailable")
	// ErrMisconfigured means that a value of the store's object cannot work, such as a malformed
	// URL.
	ErrMisconfigured = errors.New("the store is misconfigured")
	// ErrPending means that this write or an earlier one is still in progress. A later State shows
	// the outcome.
	ErrPending = errors.New("the write is still in progress")
	// ErrThrottled means that the changes were not written, because the commits of the location are
	// limited. The caller should compute the changes again later.
	ErrThrottled = errors.New("waits for the next commit")
	// ErrUnknownRevision means that the store cannot read an earlier revision.
	ErrUnknownRevision = errors.New("the revision cannot be read")
)

type contentRefused struct{}

func (contentRefused) Error() string { return "the store refused the content" }

// Is reports whether target is ErrDenied.
func (contentRefused) Is(target error) bool { return target == ErrDenied }

// Error is a store's failure, as it is shown to users.
type Error struct {
	// Op is the operation that failed, such as "read", "write" or "open".
	Op string
	// Store is the kind and name of the store.
	Store string
	// Err wraps one of the errors above.
	Err error
	// Remote is the server's own message, or empty.
	Remote string
	// Fix is the action that users should take.
	Fix string
	// Class is the class of the failure. If it is empty, ClassOf determines the class.
	Class Class
	// Field is the field of the store's object to change, such as spec.url, or empty.
	Field string
	// RetryAfter is how long the server demands that its clients wait, or zero.
	RetryAfter time.Duration
	// Paths are the files that the server has rejected or cannot store, if they are known.
	Paths []tree.Path
}

// Error returns the operation, the store, the cause, and the server's message, without credentials
// in URLs.
func (e *Error) Error() string {
	text := e.Op + " " + e.Store + ": " + e.Err.Error()
	if e.Remote != "" {
		text += ": the server says: " + strings.TrimSpace(e.Remote)
	}
	return RedactURLs(text)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Ended returns an error if the context of an operation on a store has ended, and otherwise nil.
func Ended(ctx context.Context, op, store string) error {
	if err := ctx.Err(); err != nil {
		return &Error{Op: op, Store: store, Err: fmt.Errorf("%w: %w", ErrUnavailable, err)}
	}
	return nil
}
