package apply

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// failureKind says what a write that failed means for it and for others.
type failureKind int

// The kinds of failures.
const (
	// refused: the API server does not take this write.
	refused failureKind = iota
	// stale: the object was another by then; a change of the object as it is now
	// may succeed.
	stale
	// overloaded: the API server asks for fewer writes, whatever they are.
	overloaded
	// silent: it has not answered in time.
	silent
	// unreachable: there was no answer, of whatever this write is.
	unreachable
)

// failure is a write that failed.
type failure struct {
	kind failureKind
	// asked is how long the API server asks to wait.
	asked time.Duration
	// unknown means that the write may have been done, or the object be there already.
	unknown bool
	// words are the API server's, fit to be shown.
	words string
}

func failureOf(err error) failure {
	seconds, _ := apierrors.SuggestsClientDelay(err)
	why := failure{kind: refused, asked: time.Duration(seconds) * time.Second, words: plain(err.Error())}
	var transport *url.Error
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		why.kind = stale
	case apierrors.IsTooManyRequests(err), apierrors.IsServiceUnavailable(err):
		why.kind = overloaded
	case errors.Is(err, context.DeadlineExceeded):
		why.kind, why.words = silent, "no answer within "+callTimeout.String()
	case errors.As(err, &transport):
		why.kind = unreachable
	}
	why.unknown = isUnknown(err)
	return why
}

// isUnknown reports whether a create that failed with err may have left an object: it
// may be there already, or there is no answer, or an answer like "timeout" that does not
// say.
func isUnknown(err error) bool {
	var answer apierrors.APIStatus
	if !errors.As(err, &answer) {
		return true
	}
	return apierrors.IsAlreadyExists(err) || apierrors.IsTimeout(err) || answer.Status().Code >= http.StatusInternalServerError
}

// longestWords bounds what is kept of what the API server says: it may repeat much of
// an object.
const longestWords = 1024

// plain returns a text of another in one line, without control characters, and not too
// long.
func plain(text string) string {
	text = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))), " ")
	if len(text) > longestWords {
		text = strings.ToValidUTF8(text[:longestWords], "") + "..."
	}
	return text
}

// sameWords reports whether two messages differ in digits at most: versions, and how
// much of a quota is used, are others each time.
func sameWords(a, b string) bool { return withoutDigits(a) == withoutDigits(b) }

func withoutDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, text)
}
