package telemetry

import (
	"net/http"

	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/internal/bearer"
)

// MaxBody is the maximum size of the body of a request, in bytes.
const MaxBody = 64 << 10

// Admin is a handler that changes the log level for requests with a token.
type Admin struct {
	// Level is the log level that requests change.
	Level zap.AtomicLevel
	// Token returns the token. If it is nil, every request is rejected.
	Token func() (string, error)
}

var _ http.Handler = Admin{}

// ServeHTTP changes the log level if the request contains the token.
func (a Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.Token == nil {
		answer(w, http.StatusForbidden, "changing the log level is off: start the process with --admin-token-file")
		return
	}
	token, err := a.Token()
	if err != nil || token == "" {
		answer(w, http.StatusServiceUnavailable, "the token cannot be read: see --admin-token-file")
		return
	}
	if !bearer.Matches(r, token) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		answer(w, http.StatusUnauthorized, "send the token of --admin-token-file as Authorization: Bearer TOKEN")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	a.Level.ServeHTTP(w, r)
}

// Bounded returns a handler that limits the body of requests to MaxBody bytes, or to more for the
// paths in larger.
func Bounded(handler http.Handler, larger map[string]int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, max(MaxBody, larger[r.URL.Path]))
		handler.ServeHTTP(w, r)
	})
}
