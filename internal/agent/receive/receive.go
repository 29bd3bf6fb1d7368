// Package receive handles the events of Flux and Argo CD, and the webhooks of git hosts. It does
// I/O: it serves HTTP and writes log lines.
package receive

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/bearer"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

// The limits of an event.
const (
	// MaxBody is the maximum size of the body, in bytes.
	MaxBody = 64 << 10
	// MaxAge is the maximum age.
	MaxAge = time.Hour
	// MaxAhead is the maximum time by which an event may be in the future.
	MaxAhead = agent.MaxAhead
)

// Counter counts events.
type Counter interface {
	// CountAgentEvent counts an accepted event.
	CountAgentEvent(from agent.Name, outcome agent.Outcome)
	// CountRejectedAgentEvent counts a rejected event.
	CountRejectedAgentEvent(from agent.Name, reason agent.Rejection)
}

// Handler receives events and adds them to an Inbox.
type Handler struct {
	Inbox *agent.Inbox
	// Secret returns the secret of the events. Events are off if it is nil, or while it returns
	// fs.ErrNotExist.
	Secret func() (string, error)
	Now    func() time.Time
	Log    *zap.Logger
	Counts Counter

	lines limiter
}

// Register adds the endpoints to mux.
func (h *Handler) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST "+agent.FluxPath, func(w http.ResponseWriter, r *http.Request) {
		h.serve(w, r, agent.Flux, agent.ParseFlux)
	})
	mux.HandleFunc("POST "+agent.ArgoCDPath, func(w http.ResponseWriter, r *http.Request) {
		h.serve(w, r, agent.ArgoCD, agent.ParseArgoCD)
	})
}

type rejection struct {
	status int
	reason agent.Rejection
	text   string
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, from agent.Name, parse func([]byte) (agent.Event, error)) {
	event, changed, rejected := h.receive(w, r, from, parse)
	if rejected != nil {
		h.reject(w, r, from, *rejected)
		return
	}
	h.Counts.CountAgentEvent(from, event.Outcome)
	text := "accepted"
	if changed {
		h.logChange(from, event)
	} else {
		text = "accepted; it changes nothing"
	}
	respond(w, http.StatusAccepted, text)
}

// receive reads and checks one event and adds it to the Inbox. It returns the event and whether a
// state has changed, or a rejection.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request, from agent.Name, parse func([]byte) (agent.Event, error)) (agent.Event, bool, *rejection) {
	secret, rejected := secretOf(h.Secret, "--events-secret-file")
	if rejected != nil {
		return agent.Event{}, false, rejected
	}
	if !hasCredentials(r, from) {
		return agent.Event{}, false, unauthorized(from)
	}
	body, rejected := readBody(w, r, MaxBody)
	if rejected != nil {
		return agent.Event{}, false, rejected
	}
	if !isAuthorized(r, from, body, secret) {
		return agent.Event{}, false, unauthorized(from)
	}
	event, err := parse(body)
	if err != nil {
		return agent.Event{}, false, &rejection{http.StatusBadRequest, agent.Malformed, err.Error()}
	}
	switch age := h.Now().Sub(event.Time); {
	case age > MaxAge:
		return agent.Event{}, false, &rejection{http.StatusBadRequest, agent.TooOld, fmt.Sprintf("the event is older than %s: check the clocks", MaxAge)}
	case age < -MaxAhead:
		return agent.Event{}, false, &rejection{http.StatusBadRequest, agent.TooNew, fmt.Sprintf("the event is more than %s in the future: check the clocks", MaxAhead)}
	}
	if event.Outcome == agent.None {
		return event, false, nil
	}
	changed, err := h.Inbox.Add(event)
	switch {
	case errors.Is(err, agent.ErrNotReady):
		return agent.Event{}, false, &rejection{http.StatusServiceUnavailable, agent.NotReady, "this process has not done a round yet: try again"}
	case err != nil:
		return agent.Event{}, false, &rejection{http.StatusNotFound, agent.UnknownDestination, "there is no Destination " + event.Destination}
	}
	return event, changed, nil
}

// secretOf returns the secret, or a rejection if there is none. flag is the flag with the file of
// the secret.
func secretOf(read func() (string, error), flag string) (string, *rejection) {
	if read == nil {
		return "", &rejection{http.StatusNotFound, agent.Off, "events are off: start the process with " + flag}
	}
	switch secret, err := read(); {
	case errors.Is(err, fs.ErrNotExist):
		return "", &rejection{http.StatusNotFound, agent.Off, "events are off: the file of " + flag + " does not exist"}
	case err != nil || secret == "":
		return "", &rejection{http.StatusServiceUnavailable, agent.NoSecret, "the secret cannot be read: see " + flag}
	default:
		return secret, nil
	}
}

// readBody returns the body of a request. It returns a rejection for a body that is larger than
// most bytes or unreadable.
func readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, *rejection) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &rejection{http.StatusRequestEntityTooLarge, agent.TooLarge, fmt.Sprintf("the body is larger than %d KiB", most>>10)}
	case err != nil:
		return nil, &rejection{http.StatusBadRequest, agent.Unreadable, "the body cannot be read"}
	}
	return body, nil
}

// signatureHeader is the header in which Flux's provider generic-hmac sends the signature of the
// body.
const signatureHeader = "X-Signature"

// hasCredentials reports whether a request has a signature or, from Argo CD, an Authorization
// header.
func hasCredentials(r *http.Request, from agent.Name) bool {
	return r.Header.Get(signatureHeader) != "" || from == agent.ArgoCD && r.Header.Get("Authorization") != ""
}

// isAuthorized reports whether a request is signed with the secret or, from Argo CD, has it as its
// bearer token.
func isAuthorized(r *http.Request, from agent.Name, body []byte, secret string) bool {
	signature := r.Header.Get(signatureHeader)
	if from == agent.ArgoCD && signature == "" {
		return bearer.Matches(r, secret)
	}
	digest, ok := strings.CutPrefix(signature, "sha256=")
	got, err := hex.DecodeString(digest)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write(body) // a hash returns no error
	return hmac.Equal(mac.Sum(nil), got) && ok && err == nil
}

func unauthorized(from agent.Name) *rejection {
	text := "the signature is missing or wrong: use the provider generic-hmac, and in its Secret the token of --events-secret-file"
	if from == agent.ArgoCD {
		text = "send the secret of --events-secret-file as Authorization: Bearer SECRET"
	}
	return &rejection{http.StatusUnauthorized, agent.Unauthorized, text}
}

func (h *Handler) reject(w http.ResponseWriter, r *http.Request, from agent.Name, why rejection) {
	h.Counts.CountRejectedAgentEvent(from, why.reason)
	if suppressed, ok := h.lines.allow(string(why.reason), 1, h.Now()); ok {
		h.Log.Warn("an event of an agent was rejected", zap.String("agent", string(from)), zap.String("reason", string(why.reason)),
			zap.String("why", why.text), zap.String("from", r.RemoteAddr), zap.Int("suppressed", suppressed))
	}
	switch {
	case why.status == http.StatusUnauthorized && from == agent.ArgoCD:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case why.status == http.StatusServiceUnavailable:
		w.Header().Set("Connection", "close") // a new connection may reach another replica
	}
	respond(w, why.status, why.text)
}

// maxChangeLines is the maximum number of log lines about changes per minute.
const maxChangeLines = 60

func (h *Handler) logChange(from agent.Name, event agent.Event) {
	suppressed, ok := h.lines.allow("", maxChangeLines, h.Now())
	if !ok {
		return
	}
	const longest = 300
	message := []rune(event.Message)
	fields := []zap.Field{
		zap.String("agent", string(from)), zap.String("destination", event.Destination), zap.String("root", event.Root),
		zap.String("revision", event.Revision), zap.String("outcome", string(event.Outcome)),
		zap.String("message", printable.Line(string(message[:min(len(message), longest)]))),
	}
	if suppressed > 0 {
		fields = append(fields, zap.Int("suppressed", suppressed))
	}
	h.Log.Info("reported by an agent", fields...)
}

func respond(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, printable.Line(text)) // the client may have disconnected
}
