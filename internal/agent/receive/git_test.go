package receive_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/kratix-schedule/kratix-schedule/internal/agent/receive"
)

const (
	githubPush = `{"ref":"refs/heads/main","before":"1","after":"2","repository":{"id":1,"name":"state","full_name":"team/state","clone_url":"https://github.com/team/state.git"},"commits":[{"added":["a"]}]}`
	giteaPush  = `{"ref":"refs/heads/main","before":"1","after":"2","commits":[],"total_commits":1,"repository":{"id":1,"full_name":"team/state","clone_url":"https://git.example.com/team/state.git"}}`
	gitlabPush = `{"object_kind":"push","event_name":"push","ref":"refs/heads/main","project":{"id":15,"path_with_namespace":"group/team/state"},"repository":{"name":"state","git_http_url":"https://gitlab.example.com/group/team/state.git"}}`
)

type gitEnv struct {
	*env
	handler receive.GitHandler
	pushed  []string
	counts  []receive.GitResult
	ready   bool
}

func newGitEnv() *gitEnv {
	core, logs := observer.New(zap.InfoLevel)
	e := &gitEnv{env: &env{mux: http.NewServeMux(), logs: logs}, ready: true}
	e.handler = receive.GitHandler{
		Secret: func() (string, error) { return secret, nil }, Now: func() time.Time { return now }, Log: zap.New(core),
		Count: func(result receive.GitResult) { e.counts = append(e.counts, result) },
		Pushed: func(repository, branch string) (bool, bool) {
			e.pushed = append(e.pushed, repository+"#"+branch)
			return strings.HasSuffix(repository, "team/state") && branch == "main", e.ready
		},
	}
	e.handler.Register(e.mux)
	return e
}

func digest(body, key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func bySignature(body, key string) map[string]string {
	return map[string]string{"X-Hub-Signature-256": "sha256=" + digest(body, key)}
}

func TestWebhooks(t *testing.T) {
	tag := strings.Replace(githubPush, "refs/heads/", "refs/tags/", 1)
	other := strings.Replace(githubPush, "team/state", "team/other", 1)
	for name, test := range map[string]struct {
		body    string
		headers map[string]string
		status  int
		result  receive.GitResult
		pushed  string
	}{
		"GitHub":                     {githubPush, bySignature(githubPush, secret), http.StatusAccepted, "accepted", "team/state#main"},
		"Gitea":                      {giteaPush, map[string]string{"X-Gitea-Signature": digest(giteaPush, secret)}, http.StatusAccepted, "accepted", "team/state#main"},
		"GitLab":                     {gitlabPush, map[string]string{"X-Gitlab-Token": secret}, http.StatusAccepted, "accepted", "group/team/state#main"},
		"a tag":                      {tag, bySignature(tag, secret), http.StatusAccepted, "ignored", ""},
		"another repository":         {other, bySignature(other, secret), http.StatusAccepted, "ignored", "team/other#main"},
		"a ping":                     {`{"zen":"","hook_id":1}`, bySignature(`{"zen":"","hook_id":1}`, secret), http.StatusAccepted, "ignored", ""},
		"no credentials":             {githubPush, nil, http.StatusUnauthorized, "unauthorized", ""},
		"another secret":             {githubPush, bySignature(githubPush, "another"), http.StatusUnauthorized, "unauthorized", ""},
		"no secret":                  {githubPush, bySignature(githubPush, ""), http.StatusUnauthorized, "unauthorized", ""},
		"the body of another":        {githubPush + " ", bySignature(githubPush, secret), http.StatusUnauthorized, "unauthorized", ""},
		"no name of the hash":        {githubPush, map[string]string{"X-Hub-Signature-256": digest(githubPush, secret)}, http.StatusUnauthorized, "unauthorized", ""},
		"an empty digest":            {githubPush, map[string]string{"X-Hub-Signature-256": "sha256="}, http.StatusUnauthorized, "unauthorized", ""},
		"an odd digest":              {giteaPush, map[string]string{"X-Gitea-Signature": "zz"}, http.StatusUnauthorized, "unauthorized", ""},
		"a part of the token":        {gitlabPush, map[string]string{"X-Gitlab-Token": secret[1:]}, http.StatusUnauthorized, "unauthorized", ""},
		"a token that is too long":   {gitlabPush, map[string]string{"X-Gitlab-Token": secret + "0"}, http.StatusUnauthorized, "unauthorized", ""},
		"a token, a wrong signature": {githubPush, map[string]string{"X-Hub-Signature-256": "sha256=00", "X-Gitlab-Token": secret}, http.StatusUnauthorized, "unauthorized", ""},
		"a form":                     {"payload=%7B%7D", bySignature("payload=%7B%7D", secret), http.StatusBadRequest, "malformed", ""},
		"the largest":                {padded(githubPush, receive.MaxGitBody), bySignature(padded(githubPush, receive.MaxGitBody), secret), http.StatusAccepted, "accepted", "team/state#main"},
		"one too large":              {padded(githubPush, receive.MaxGitBody+1), bySignature(padded(githubPush, receive.MaxGitBody+1), secret), http.StatusRequestEntityTooLarge, "too_large", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := newGitEnv()
			for range 2 { // a replay has the same response
				status, text := e.post(receive.GitPath, test.body, test.headers)
				if status != test.status || strings.Contains(text, secret) {
					t.Errorf("status %d, %s", status, text)
				}
			}
			if want := []receive.GitResult{test.result, test.result}; !slices.Equal(e.counts, want) {
				t.Errorf("counted %v, want %v", e.counts, want)
			}
			if got := strings.Join(slices.Compact(e.pushed), ""); got != test.pushed {
				t.Errorf("pushed %q, want %q", got, test.pushed)
			}
			if lines := e.logs.Len(); lines > 1 {
				t.Errorf("%d lines of log", lines)
			}
		})
	}
}

func TestWebhooksAreOffWithoutASecret(t *testing.T) {
	for name, test := range map[string]struct {
		read   func() (string, error)
		status int
		result receive.GitResult
	}{
		"no flag":    {nil, http.StatusNotFound, "off"},
		"no file":    {func() (string, error) { return "", fs.ErrNotExist }, http.StatusNotFound, "off"},
		"unreadable": {func() (string, error) { return "", errors.New("no permission") }, http.StatusServiceUnavailable, "no_secret"},
		"empty":      {func() (string, error) { return "", nil }, http.StatusServiceUnavailable, "no_secret"},
	} {
		e := newGitEnv()
		e.handler.Secret = test.read
		status, text := e.post(receive.GitPath, githubPush, bySignature(githubPush, ""))
		if status != test.status || !slices.Equal(e.counts, []receive.GitResult{test.result}) || !strings.Contains(text, "--git-events-secret-file") {
			t.Errorf("%s: status %d, %v, %s", name, status, e.counts, text)
		}
	}
	e := newGitEnv()
	e.ready = false
	if status, _ := e.post(receive.GitPath, githubPush, bySignature(githubPush, secret)); status != http.StatusServiceUnavailable || e.counts[0] != "not_ready" {
		t.Errorf("before the first round: status %d, %v", status, e.counts)
	}
}

// unread is a body that must not be read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, errors.New("read")
}

func TestBodyWithoutCredentialsIsNotRead(t *testing.T) {
	e := newGitEnv()
	response := httptest.NewRecorder()
	e.mux.ServeHTTP(response, httptest.NewRequest(http.MethodPost, receive.GitPath, unread{t})) //nolint:noctx // the request is not sent
	if response.Code != http.StatusUnauthorized {
		t.Errorf("status %d", response.Code)
	}
}

func FuzzWebhook(f *testing.F) {
	f.Add(true, githubPush, "", "", "")
	f.Add(false, giteaPush, "", digest(giteaPush, secret), "")
	f.Add(false, gitlabPush, "", "", secret)
	f.Add(false, "{}", "sha256=", "", "")
	f.Fuzz(func(t *testing.T, sign bool, body, signature, gitea, token string) {
		e := newGitEnv()
		headers := map[string]string{"X-Hub-Signature-256": signature, "X-Gitea-Signature": gitea, "X-Gitlab-Token": token}
		if sign {
			headers = bySignature(body, secret)
		}
		status, text := e.post(receive.GitPath, body, headers)
		known := []int{http.StatusAccepted, http.StatusBadRequest, http.StatusUnauthorized, http.StatusRequestEntityTooLarge}
		if !slices.Contains(known, status) || len(e.counts) != 1 || !slices.Contains(receive.GitResults(), e.counts[0]) {
			t.Errorf("status %d, counted %v", status, e.counts)
		}
		if strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("text %q", text)
		}
		right := sign || strings.EqualFold(signature, "sha256="+digest(body, secret)) || strings.EqualFold(gitea, digest(body, secret)) || token == secret
		if !right && (len(e.pushed) > 0 || status == http.StatusAccepted) {
			t.Errorf("status %d without the secret, pushed %q", status, e.pushed)
		}
	})
}
