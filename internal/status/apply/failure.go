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

type failureKind int

const (
	refused failureKind = iota
	// stale means that the object was changed, deleted or created meanwhile.
	stale
	// overloaded means that the API server is unavailable, or asks for fewer writes.
	overloaded
	// silent means that the API server did not answer in time.
	silent
	// unreachable means that the connection to the API server failed.
	unreachable
)

type failure struct {
	kind  failureKind
	asked time.Duration
	// unknown means that the write may have succeeded, or that the object may exist already.
	unknown bool
	// message is the message of the API server as a single line without control characters.
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

// isUnknown reports whether the object of a failed create may exist.
func isUnknown(err error) bool {
	var answer apierrors.APIStatus
	if !errors.As(err, &answer) {
		return true
	}
	return apierrors.IsAlreadyExists(err) || apierrors.IsTimeout(err) || answer.Status().Code >= http.StatusInternalServerError
}

// longestWords is the size in bytes to which a message from an API server is cut.
const longestWords = 1024

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

// sameWords reports whether two messages differ only in digits.
func sameWords(a, b string) bool { return withoutDigits(a) == withoutDigits(b) }

func withoutDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, text)
}
