package receive_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/agent/receive"
)

const secret = "0123456789abcdef0123456789abcdef"

var now = time.Date(2026, 11, 30, 5, 0, 0, 0, time.UTC)

type env struct {
	handler *receive.Handler
	inbox   *agent.Inbox
	mux     *http.ServeMux
	logs    *observer.ObservedLogs

	mu                 sync.Mutex
	received, rejected map[string]int
}

func (e *env) CountAgentEvent(from agent.Name, outcome agent.Outcome) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.received[string(from)+" "+string(outcome)]++
}

func (e *env) CountRejectedAgentEvent(from agent.Name, reason agent.Rejection) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rejected[string(from)+" "+string(reason)]++
}

func newEnv() *env {
	core, logs := observer.New(zap.InfoLevel)
	e := &env{inbox: agent.NewInbox(), mux: http.NewServeMux(), logs: logs, received: map[string]int{}, rejected: map[string]int{}}
	e.handler = &receive.Handler{
		Inbox: e.inbox, Secret: func() (string, error) { return secret, nil },
		Now: func() time.Time { return now }, Log: zap.New(core), Counts: e,
	}
	e.inbox.Known([]string{"worker-1"})
	e.handler.Register(e.mux)
	return e
}

func (e *env) post(path, body string, headers map[string]string) (int, string) {
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for key, value := range headers {
		request.Header.Set(key, value)
	}
	response := httptest.NewRecorder()
	e.mux.ServeHTTP(response, request)
	text, _ := io.ReadAll(response.Result().Body)
	return response.Code, strings.TrimSpace(string(text))
}

func signed(body, key string) map[string]string {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write([]byte(body))
	return map[string]string{"X-Signature": "sha256=" + hex.EncodeToString(mac.Sum(nil))}
}

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}

func flux(at time.Time, destination, message string) string {
	return fmt.Sprintf(`{"involvedObject":{"kind":"Kustomization"},"severity":"info","timestamp":%q,"message":%q,"reason":"Progressing","metadata":{"destination":%q,"root":"resources","revision":"main@sha1:%x"}}`,
		at.Format(time.RFC3339), message, destination, sha256.Sum256([]byte(message)))
}

func argo(at time.Time) string {
	return fmt.Sprintf(`{"destination":"worker-1","root":"resources","time":%q,"sync":{"status":"Synced","revision":"0123456789012345678901234567890123456789"},"health":{"status":"Healthy"}}`, at.Format(time.RFC3339))
}

func TestEvents(t *testing.T) {
	const passed = "Health check passed in 1s"
	good := flux(now, "worker-1", passed)
	for name, test := range map[string]struct {
		path, body string
		headers    map[string]string
		status     int
		text       string
		reason     string
	}{
		"Flux, signed":            {path: agent.FluxPath, body: good, headers: signed(good, secret), status: http.StatusAccepted, text: "accepted"},
		"Argo CD, with the token": {path: agent.ArgoCDPath, body: argo(now), headers: bearer(secret), status: http.StatusAccepted, text: "accepted"},
		"Argo CD, signed":         {path: agent.ArgoCDPath, body: argo(now), headers: signed(argo(now), secret), status: http.StatusAccepted, text: "accepted"},
		"a Bearer in small letters": {
			path: agent.ArgoCDPath, body: argo(now), headers: map[string]string{"Authorization": "bearer " + secret}, status: http.StatusAccepted, text: "accepted",
		},
		"no signature": {
			path: agent.FluxPath, body: good, status: http.StatusUnauthorized, reason: "flux unauthorized",
			text: "the signature is missing or wrong: use the provider generic-hmac, and in its Secret the token of --events-secret-file",
		},
		"another secret":          {path: agent.FluxPath, body: good, headers: signed(good, "another"), status: http.StatusUnauthorized, reason: "flux unauthorized"},
		"no secret":               {path: agent.FluxPath, body: good, headers: signed(good, ""), status: http.StatusUnauthorized, reason: "flux unauthorized"},
		"the body of another":     {path: agent.FluxPath, body: good, headers: signed(good+" ", secret), status: http.StatusUnauthorized, reason: "flux unauthorized"},
		"an odd signature":        {path: agent.FluxPath, body: good, headers: map[string]string{"X-Signature": "sha256=zz"}, status: http.StatusUnauthorized, reason: "flux unauthorized"},
		"an empty signature":      {path: agent.FluxPath, body: good, headers: map[string]string{"X-Signature": "sha256="}, status: http.StatusUnauthorized, reason: "flux unauthorized"},
		"another hash":            {path: agent.FluxPath, body: good, headers: map[string]string{"X-Signature": strings.Replace(signed(good, secret)["X-Signature"], "sha256", "sha512", 1)}, status: http.StatusUnauthorized, reason: "flux unauthorized"},
		"no name of the hash":     {path: agent.FluxPath, body: good, headers: map[string]string{"X-Signature": strings.TrimPrefix(signed(good, secret)["X-Signature"], "sha256=")}, status: http.StatusUnauthorized, reason: "flux unauthorized"},
		"a token from Flux":       {path: agent.FluxPath, body: good, headers: bearer(secret), status: http.StatusUnauthorized, reason: "flux unauthorized"},
		"a wrong token":           {path: agent.ArgoCDPath, body: argo(now), headers: bearer(secret + "0"), status: http.StatusUnauthorized, text: "send the secret of --events-secret-file as Authorization: Bearer SECRET", reason: "argocd unauthorized"},
		"a token of another kind": {path: agent.ArgoCDPath, body: argo(now), headers: map[string]string{"Authorization": "Basic " + secret}, status: http.StatusUnauthorized, reason: "argocd unauthorized"},
		"the token beside a wrong signature": {
			path: agent.ArgoCDPath, body: argo(now), headers: map[string]string{"Authorization": "Bearer " + secret, "X-Signature": "sha256=00"}, status: http.StatusUnauthorized, reason: "argocd unauthorized",
		},
		"no JSON":       {path: agent.FluxPath, body: "{", headers: signed("{", secret), status: http.StatusBadRequest, text: "not an event: the body is no JSON of Flux", reason: "flux malformed"},
		"the largest":   {path: agent.FluxPath, body: padded(good, receive.MaxBody), headers: signed(padded(good, receive.MaxBody), secret), status: http.StatusAccepted, text: "accepted"},
		"one too large": {path: agent.FluxPath, body: padded(good, receive.MaxBody+1), headers: signed(padded(good, receive.MaxBody+1), secret), status: http.StatusRequestEntityTooLarge, text: "the body is larger than 64 KiB", reason: "flux too_large"},
		"an hour old":   signedFlux(now.Add(-receive.MaxAge), "worker-1", http.StatusAccepted, "accepted", ""),
		"older":         signedFlux(now.Add(-receive.MaxAge-time.Second), "worker-1", http.StatusBadRequest, "the event is older than 1h0m0s: check the clocks", "flux too_old"),
		"ahead":         signedFlux(now.Add(receive.MaxAhead), "worker-1", http.StatusAccepted, "accepted", ""),
		"too far ahead": signedFlux(now.Add(receive.MaxAhead+time.Second), "worker-1", http.StatusBadRequest, "the event is more than 10m0s in the future: check the clocks", "flux too_new"),
		"unknown":       signedFlux(now, "worker-9", http.StatusNotFound, "there is no Destination worker-9", "flux unknown_destination"),
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv()
			status, text := e.post(test.path, test.body, test.headers)
			if status != test.status || test.text != "" && text != test.text {
				t.Errorf("got %d %s, want %d %s", status, text, test.status, test.text)
			}
			if accepted := len(e.inbox.States()) == 1; accepted != (test.status == http.StatusAccepted) {
				t.Errorf("the states are %v", e.inbox.States())
			}
			if test.reason == "" {
				if len(e.rejected) > 0 || len(e.received) != 1 {
					t.Errorf("counted %v %v", e.received, e.rejected)
				}
				return
			}
			if e.rejected[test.reason] != 1 || len(e.rejected) != 1 || len(e.received) > 0 {
				t.Errorf("counted %v %v", e.received, e.rejected)
			}
			if lines := e.logs.All(); len(lines) != 1 || strings.Contains(fmt.Sprint(lines[0].ContextMap()), secret) {
				t.Errorf("logged %v", lines)
			}
		})
	}
}

type row = struct {
	path, body string
	headers    map[string]string
	status     int
	text       string
	reason     string
}

func signedFlux(at time.Time, destination string, status int, text, reason string) row {
	body := flux(at, destination, "Health check passed in 1s")
	return row{path: agent.FluxPath, body: body, headers: signed(body, secret), status: status, text: text, reason: reason}
}

func padded(body string, size int) string { return body + strings.Repeat(" ", size-len(body)) }

func TestEventsAreOffWithoutSecret(t *testing.T) {
	body := flux(now, "worker-1", "Health check passed in 1s")
	for name, test := range map[string]struct {
		secret func() (string, error)
		status int
		text   string
	}{
		"no flag":         {nil, http.StatusNotFound, "events are off: start the process with --events-secret-file"},
		"no file":         {func() (string, error) { return "", fmt.Errorf("open: %w", fs.ErrNotExist) }, http.StatusNotFound, "events are off: the file of --events-secret-file does not exist"},
		"unreadable file": {func() (string, error) { return "", fs.ErrPermission }, http.StatusServiceUnavailable, "the secret cannot be read: see --events-secret-file"},
		"empty file":      {func() (string, error) { return "", nil }, http.StatusServiceUnavailable, "the secret cannot be read: see --events-secret-file"},
	} {
		e := newEnv()
		e.handler.Secret = test.secret
		if status, text := e.post(agent.FluxPath, body, signed(body, "")); status != test.status || text != test.text {
			t.Errorf("%s: got %d %s", name, status, text)
		}
	}
}

func TestSecretCanBeReplaced(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	e := newEnv()
	e.handler.Secret = func() (string, error) {
		content, err := os.ReadFile(file)
		return string(content), err
	}
	body := flux(now, "worker-1", "Health check passed in 1s")
	for _, step := range []struct {
		content, key string
		status       int
	}{{"", "one", http.StatusNotFound}, {"one", "one", http.StatusAccepted}, {"two", "one", http.StatusUnauthorized}, {"two", "two", http.StatusAccepted}} {
		if step.content != "" {
			if err := os.WriteFile(file, []byte(step.content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if status, text := e.post(agent.FluxPath, body, signed(body, step.key)); status != step.status {
			t.Errorf("%+v: got %d %s", step, status, text)
		}
	}
}

func TestEventsWaitForTheFirstRound(t *testing.T) {
	e := newEnv()
	e.handler.Inbox = agent.NewInbox()
	body := flux(now, "worker-1", "Health check passed in 1s")
	if status, text := e.post(agent.FluxPath, body, signed(body, secret)); status != http.StatusServiceUnavailable || text != "this process has not done a round yet: try again" {
		t.Errorf("got %d %s", status, text)
	}
	e.handler.Inbox.Known([]string{"worker-1"})
	if status, text := e.post(agent.FluxPath, body, signed(body, secret)); status != http.StatusAccepted {
		t.Errorf("got %d %s", status, text)
	}
}

func TestReplayChangesNothing(t *testing.T) {
	e := newEnv()
	newer, older := flux(now, "worker-1", "Health check passed in 2s"), flux(now.Add(-time.Minute), "worker-1", "Health check passed in 1s")
	for i, body := range []string{newer, older, newer} {
		want := "accepted; it changes nothing"
		if i == 0 {
			want = "accepted"
		}
		if status, text := e.post(agent.FluxPath, body, signed(body, secret)); status != http.StatusAccepted || text != want {
			t.Errorf("event %d: got %d %s", i, status, text)
		}
	}
	if lines := e.logs.Len(); lines != 1 {
		t.Errorf("%d lines", lines)
	}
}

func TestOnlyPostIsAllowed(t *testing.T) {
	e := newEnv()
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		response := httptest.NewRecorder()
		e.mux.ServeHTTP(response, httptest.NewRequest(method, agent.FluxPath, nil))
		if response.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, response.Code)
		}
	}
}

func TestRejectionsDoNotFloodTheLog(t *testing.T) {
	e := newEnv()
	clock := now
	e.handler.Now = func() time.Time { return clock }
	for range 600 { // for ten minutes
		for range 10 {
			e.post(agent.FluxPath, "{}", signed("{}", "wrong"))
			e.post(agent.FluxPath, "{}", signed("{}", secret))
		}
		clock = clock.Add(time.Second)
	}
	lines := e.logs.FilterMessage("an event of an agent was rejected").All()
	if len(lines) != 20 {
		t.Errorf("%d lines, want one for each of two reasons and ten minutes", len(lines))
	}
	if suppressed := lines[len(lines)-1].ContextMap()["suppressed"]; suppressed != int64(599) {
		t.Errorf("the last line says that %v are suppressed", suppressed)
	}
	if e.rejected["flux unauthorized"] != 6000 || e.rejected["flux malformed"] != 6000 {
		t.Errorf("counted %v", e.rejected)
	}
}

func TestChangesDoNotFloodTheLog(t *testing.T) {
	e := newEnv()
	for i := range 500 {
		body := flux(now, "worker-1", fmt.Sprintf("Health check passed in %ds", i))
		if status, text := e.post(agent.FluxPath, body, signed(body, secret)); status != http.StatusAccepted {
			t.Fatalf("got %d %s", status, text)
		}
	}
	if lines := e.logs.Len(); lines != 60 {
		t.Errorf("%d lines", lines)
	}
}
