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

// failureKind classifies a failed write.
type failureKind int

// The kinds of failures.
const (
	// refused: the API server rejects this write.
	refused failureKind = iota
	// stale: the object had changed; the same change of its current version may succeed.
	stale
	// overloaded: the API server requests fewer writes of any kind.
	overloaded
	// silent: there was no answer in time.
	silent
	// unreachable: there was no answer, for a reason that does not depend on the write.
	unreachable
)

// failure is a write that failed.
type failure struct {
	kind failureKind
	// asked is the delay that the API server requests.
	asked time.Duration
	// unknown reports whether the write may have succeeded, or the object may exist already.
	unknown bool
	// message is the API server's message, fit to be shown.
	message string
}

func failureOf(err error) failure {
	seconds, _ := apierrors.SuggestsClientDelay(err)
	why := failure{kind: refused, asked: time.Duration(seconds) * time.Second, message: printableLine(err.Error())}
	var transport *url.Error
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		why.kind = stale
	case apierrors.IsTooManyRequests(err), apierrors.IsServiceUnavailable(err):
		why.kind = overloaded
	case errors.Is(err, context.DeadlineExceeded):
		why.kind, why.message = silent, "no answer within "+callTimeout.String()
	case errors.As(err, &transport):
		why.kind = unreachable
	}
	why.unknown = isUnknown(err)
	return why
}

// isUnknown reports whether a create that failed with err may have left an object: it may
// exist already, there was no answer, or the answer, such as a timeout, leaves it open.
func isUnknown(err error) bool {
	var answer apierrors.APIStatus
	if !errors.As(err, &answer) {
		return true
	}
	return apierrors.IsAlreadyExists(err) || apierrors.IsTimeout(err) || answer.Status().Code >= http.StatusInternalServerError
}

// longestWords bounds the length of an API server's message that is kept, because it may
// repeat much of an object.
const longestWords = 1024

// printableLine returns a text in one line, without control characters, and truncated.
func printableLine(text string) string {
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

// sameWords reports whether two messages differ only in digits, such as versions and quota
// usage.
func sameWords(a, b string) bool { return withoutDigits(a) == withoutDigits(b) }

func withoutDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, text)
}
