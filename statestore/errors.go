package statestore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// The kinds of store failures. A failure of a store is an *Error that wraps one of these. Callers
// distinguish them with errors.Is.
var (
	// ErrStale means that another writer has written since Base was read. The caller should read
	// and try again.
	ErrStale = errors.New("the store has moved on")
	// ErrDenied means that the credentials are wrong or lack a permission, or that a rule of the
	// server has rejected the write, such as a hook or a protected branch.
	ErrDenied = errors.New("the store refused")
	// ErrContentRefused means that the server has rejected the content of the changes or cannot
	// store it, for example because a hook found a key in a file, or because a key is too long for
	// S3. The server may accept other changes. It is also an ErrDenied for errors.Is.
	ErrContentRefused error = contentRefused{}
	// ErrUnavailable means that the store cannot be reached, or responds with an error that may be
	// temporary.
	ErrUnavailable = errors.New("the store is unavailable")
	// ErrMisconfigured means that a value of the store's object cannot work, such as a malformed
	// URL or that of a repository that does not exist. Trying again does not help.
	ErrMisconfigured = errors.New("the store is misconfigured")
	// ErrPending means that the write is in progress, or waits for another one. A later State shows
	// the outcome. The caller need not try again.
	ErrPending = errors.New("the write is still in progress")
	// ErrThrottled means that the changes were not written, because the commits of the location are
	// limited. The caller should compute the changes again later; they then include newer ones.
	ErrThrottled = errors.New("waits for the next commit")
	// ErrUnknownRevision means that the store cannot read an earlier revision.
	ErrUnknownRevision = errors.New("the revision cannot be read")
)

type contentRefused struct{}

func (contentRefused) Error() string { return "the store refused the content" }

// Is reports whether target is ErrDenied, because a rejected content is one kind of a denied write.
func (contentRefused) Is(target error) bool { return target == ErrDenied }

// Error is a store's failure, in the form that is shown to users.
type Error struct {
	// Op is the operation that failed, such as "read", "write" or "open".
	Op string
	// Store is the kind and name of the store.
	Store string
	// Err wraps ErrStale, ErrDenied or another of the errors above.
	Err error
	// Remote is the server's own message, if it sent one.
	Remote string
	// Fix is the advice to the user.
	Fix string
	// Class is the class of the failure. If it is empty, ClassOf determines the class.
	Class Class
	// Field is the field of the store's object to change, such as spec.url. It is empty if changing
	// a field does not help.
	Field string
	// RetryAfter is how long the server demands that its clients wait before they try again, or
	// zero. The function RetryAfter limits it.
	RetryAfter time.Duration
	// Paths are the files that the server has rejected or cannot store, if the error is
	// ErrContentRefused and the files are known.
	Paths []tree.Path
}

// Error returns the operation, the store, the cause, and the server's message. Credentials in URLs
// are redacted.
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
