package receive

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
)

// GitPath is the path at which the webhooks of git hosts are received.
const GitPath = "/api/v1/events/git"

// MaxGitBody is the maximum size of the body of a webhook, in bytes.
const MaxGitBody = 1 << 20

// GitResult is the result of a webhook.
type GitResult string

// The results of accepted webhooks. The other results are values of agent.Rejection.
const (
	// GitAccepted means that a state store is on the pushed branch.
	GitAccepted GitResult = "accepted"
	// GitIgnored means that no state store is on the pushed branch, or that the webhook names no
	// branch or no repository.
	GitIgnored GitResult = "ignored"
)

// GitResults returns all results.
func GitResults() []GitResult {
	results := []GitResult{GitAccepted, GitIgnored}
	for _, why := range []agent.Rejection{agent.Off, agent.NoSecret, agent.Unauthorized, agent.TooLarge, agent.Unreadable, agent.Malformed, agent.NotReady} {
		results = append(results, GitResult(why))
	}
	return results
}

// GitHandler receives the webhooks of GitHub, GitLab, Gitea and Forgejo about pushes.
type GitHandler struct {
	// Secret returns the secret of the webhooks. Webhooks are off if it is nil, or while it returns
	// fs.ErrNotExist.
	Secret func() (string, error)
	// Pushed is called for each webhook about a branch. repository is the path of the repository on
	// its host, such as "team/state". known reports whether a state store is on the branch; ready
	// is false if that is not known yet.
	Pushed func(repository, branch string) (known, ready bool)
	Now    func() time.Time
	Log    *zap.Logger
	// Count counts the webhooks by result.
	Count func(GitResult)

	lines limiter
}

// Register adds the endpoint to mux.
func (h *GitHandler) Register(mux *http.ServeMux) { mux.HandleFunc("POST "+GitPath, h.serve) }

func (h *GitHandler) serve(w http.ResponseWriter, r *http.Request) {
	known, rejected := h.receive(w, r)
	switch {
	case rejected != nil:
		h.reject(w, r, *rejected)
	case known:
		h.Count(GitAccepted)
		respond(w, http.StatusAccepted, "accepted")
	default:
		h.Count(GitIgnored)
		respond(w, http.StatusAccepted, "accepted; no state store is on a branch that it names")
	}
}

// receive reads and checks one webhook, and reports whether a state store is on its branch.
func (h *GitHandler) receive(w http.ResponseWriter, r *http.Request) (known bool, rejected *rejection) {
	secret, rejected := secretOf(h.Secret, "--git-events-secret-file")
	if rejected != nil {
		return false, rejected
	}
	if !hasGitCredentials(r) {
		return false, unauthorizedGit()
	}
	body, rejected := readBody(w, r, MaxGitBody)
	if rejected != nil {
		return false, rejected
	}
	if !isFromGitHost(r, body, secret) {
		return false, unauthorizedGit()
	}
	var event struct {
		Ref        string
		Repository struct {
			Path string `json:"full_name"`
		}
		Project struct {
			Path string `json:"path_with_namespace"`
		}
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return false, &rejection{http.StatusBadRequest, agent.Malformed, "the body is not the JSON of a webhook: choose the content type application/json"}
	}
	branch, isBranch := strings.CutPrefix(event.Ref, "refs/heads/")
	repository := event.Repository.Path
	if repository == "" {
		repository = event.Project.Path
	}
	if !isBranch || repository == "" {
		return false, nil
	}
	known, ready := h.Pushed(repository, branch)
	if !ready {
		return false, &rejection{http.StatusServiceUnavailable, agent.NotReady, "this process has not done a round yet: send it again"}
	}
	return known, nil
}

// The headers with a signature (GitHub, Gitea) or with the secret (GitLab).
const (
	githubHeader = "X-Hub-Signature-256"
	giteaHeader  = "X-Gitea-Signature"
	gitlabHeader = "X-Gitlab-Token"
)

func hasGitCredentials(r *http.Request) bool {
	return r.Header.Get(githubHeader) != "" || r.Header.Get(giteaHeader) != "" || r.Header.Get(gitlabHeader) != ""
}

// isFromGitHost reports whether a request is signed with the secret or has it as the token. The
// comparison takes constant time.
func isFromGitHost(r *http.Request, body []byte, secret string) bool {
	if signature := r.Header.Get(githubHeader); signature != "" {
		digest, ok := strings.CutPrefix(signature, "sha256=")
		return ok && isSigned(body, digest, secret)
	}
	if digest := r.Header.Get(giteaHeader); digest != "" {
		return isSigned(body, digest, secret)
	}
	want, got := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(r.Header.Get(gitlabHeader)))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// isSigned reports whether digest is the HMAC-SHA256 of the body with the secret, in hexadecimal.
func isSigned(body []byte, digest, secret string) bool {
	got, err := hex.DecodeString(digest)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write(body) // a hash returns no error
	return hmac.Equal(mac.Sum(nil), got) && err == nil
}

func unauthorizedGit() *rejection {
	return &rejection{http.StatusUnauthorized, agent.Unauthorized, "the signature or the token is missing or wrong: the webhook needs the secret of --git-events-secret-file"}
}

// reject responds to a rejected webhook and counts it. It logs at most one webhook per minute for
// each reason.
func (h *GitHandler) reject(w http.ResponseWriter, r *http.Request, why rejection) {
	h.Count(GitResult(why.reason))
	if suppressed, ok := h.lines.allow(string(why.reason), 1, h.Now()); ok {
		h.Log.Warn("a webhook of a git host was rejected", zap.String("reason", string(why.reason)),
			zap.String("why", why.text), zap.String("from", r.RemoteAddr), zap.Int("suppressed", suppressed))
	}
	if why.status == http.StatusServiceUnavailable {
		w.Header().Set("Connection", "close")
	}
	respond(w, why.status, why.text)
}
