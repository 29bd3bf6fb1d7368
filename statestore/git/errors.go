package git

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const (
	fixSSH      = "check the keys sshPrivateKey and knownHosts in the Secret that spec.secretRef names, and that the server knows the public key and lets it write"
	fixBearer   = "check the key bearerToken in the Secret that spec.secretRef names: it may have expired, or may not write to the repository"
	fixApp      = "check the keys appID, installationID and privateKey in the Secret that spec.secretRef names, and that the app is installed on the repository with the permission contents: write"
	fixArchived = "the repository is archived, so nobody can write to it: unarchive it, or choose another one in spec.url"
	fixHost     = "put the server's key into key knownHosts of the Secret that spec.secretRef names; `ssh-keyscan` shows it, and someone who knows the server can confirm it"
	fixMoved    = "the server redirects to another host, to which credentials are not sent: set spec.url of the state store to the new address"
	fixProtocol = "this is not a git server's answer: check spec.url, and proxies on the way"
	fixProxy    = "check the proxy that HTTPS_PROXY or HTTP_PROXY names, and a user and a password in it; NO_PROXY lists servers to reach without one"
	fixSecret   = "check the keys username and password in the Secret that spec.secretRef names, and that this user may write to the repository"
	fixURL      = "check spec.url of the state store; a private repository also looks missing to a user who may not see it"
	fixCA       = "put the certificate of the CA that signed the server's into key ca.crt of the Secret that spec.secretRef names, PEM encoded"
	fixHook     = "a rule of the server (a hook or a protected branch) refused the commit: satisfy it, or let this user pass"
	fixConflict = "move or remove what is in the way in the repository, or change the path"
	fixUnpack   = "the server checks what it is sent (receive.fsckObjects, receive.maxInputSize): change the file, or the server's setting"
	fixDamaged  = "the repository on the server may be damaged: let someone run `git fsck` in it"
	fixFormat   = "name a repository with SHA-1 objects in spec.url; `git init --object-format=sha1` makes one"
	fixGit      = "repositories on this machine need the git binary in PATH"
)

type verdict struct {
	kind   error
	text   string // reported instead of the error's text
	remote string
	fix    string
	ended  error // the error of the context, if it has ended
	wait   time.Duration
	at     []tree.Path // the paths in the repository that conflict with the changes
}

func (s *Store) failure(op string, err error) error {
	v := judge(err).withFix(unwrapClient(err))
	if v.wait > 0 {
		s.remote.pause.until(s.now().Add(v.wait))
	}
	if v.kind == statestore.ErrDenied { //nolint:errorlint // not for ErrContentRefused, which does not depend on the credentials
		s.remote.credentials.refused()
	}
	if v.fix == fixSecret {
		v.fix = s.remote.authFix()
	}
	told := &statestore.Error{Op: op, Store: s.name, Remote: s.remote.redact(oneSentence(v.remote)), Fix: v.fix, RetryAfter: v.retryAfter(err)}
	cause := diagnose(err, v)
	told.Class, told.Field = cause.Class, cause.Field
	for _, path := range v.at {
		if own, below := path.RelativeTo(s.path); below {
			told.Paths = append(told.Paths, own)
		}
	}
	switch {
	case v.ended != nil:
		told.Err = fmt.Errorf("%w: %w", v.kind, v.ended)
	case errors.Is(v.kind, statestore.ErrStale):
		told.Err = v.kind
	default:
		told.Err = fmt.Errorf("%w: %s", v.kind, s.remote.redact(oneSentence(orDefault(v.text, err.Error()))))
	}
	return told
}

func judge(err error) verdict {
	err = unwrapClient(err)
	if v, ok := judgeBranch(err); ok {
		return v
	}
	var (
		blocked conflict
		refused refusal
		status  *statusError
		said    serviceError
	)
	switch {
	case errors.Is(err, statestore.ErrStale):
		return verdict{kind: statestore.ErrStale}
	case errors.Is(err, context.Canceled):
		return verdict{kind: statestore.ErrUnavailable, ended: context.Canceled}
	case errors.Is(err, context.DeadlineExceeded):
		return verdict{kind: statestore.ErrUnavailable, ended: context.DeadlineExceeded}
	case errors.As(err, &blocked):
		return verdict{kind: statestore.ErrContentRefused, fix: fixConflict, at: []tree.Path{blocked.at}}
	case errors.As(err, new(noDirectory)):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixConflict}
	case errors.As(err, &refused):
		return judgeRefusal(refused)
	case errors.As(err, &said) && said.words != "":
		v := judgeText(said.words)
		v.remote = said.words
		if errors.Is(err, packp.ErrEmptyInput) {
			v.text = "it did not answer"
		}
		return v
	case errors.As(err, &status):
		return judgeStatus(status)
	}
	return judgeConnection(err)
}

func judgeConnection(err error) verdict {
	var (
		garbage  *packp.ErrUnexpectedData
		line     *pktline.ErrorLine
		untruste *tls.CertificateVerificationError
		authors  x509.UnknownAuthorityError
		stranger unknownHost
		app      appError
		proxy    proxyRefusal
		network  *net.OpError
		moved    redirectError
	)
	if v, ok := judgeMachine(err); ok {
		return v
	}
	switch {
	case errors.As(err, &line):
		v := judgeText(line.Text)
		v.remote = line.Text
		return v
	case errors.As(err, &untruste), errors.As(err, &authors):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixCA}
	case errors.As(err, &stranger):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixHost}
	case errors.As(err, &app):
		return app.verdict()
	case errors.As(err, &proxy), errors.As(err, &network) && network.Op == "proxyconnect":
		return verdict{kind: statestore.ErrUnavailable, fix: fixProxy}
	case strings.Contains(err.Error(), "ssh: unable to authenticate"): // the library has no type for this error
		return verdict{kind: statestore.ErrDenied, fix: fixSecret}
	case errors.As(err, &moved):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixMoved}
	case errors.As(err, &garbage), errors.Is(err, pktline.ErrInvalidPktLen):
		return verdict{kind: statestore.ErrUnavailable, fix: fixProtocol}
	case connectionEnded(err):
		return verdict{kind: statestore.ErrUnavailable, text: "the connection ended before the answer did"}
	case errors.Is(err, exec.ErrNotFound):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixGit}
	case errors.Is(err, fs.ErrPermission):
		return verdict{kind: statestore.ErrDenied, fix: fixURL}
	case isPathError(err):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixURL}
	}
	return verdict{kind: statestore.ErrUnavailable}
}

// endings are errors that occur when a connection is closed.
var endings = [...]error{
	io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE,
}

func connectionEnded(err error) bool {
	for _, ending := range endings {
		if errors.Is(err, ending) {
			return true
		}
	}
	return strings.Contains(err.Error(), "server closed idle connection") // the library has no type for this error
}

func (v verdict) fixOr(other string) string { return orDefault(v.fix, other) }

// judgeText returns the verdict on a text from a server.
func judgeText(text string) verdict {
	text = strings.ToLower(text)
	says := func(phrases ...string) bool {
		return slices.ContainsFunc(phrases, func(words string) bool { return strings.Contains(text, words) })
	}
	switch {
	case saysLimited(text):
		return verdict{kind: statestore.ErrUnavailable, fix: fixLimit, wait: limitedPause}
	case says("archived"):
		return verdict{kind: statestore.ErrDenied, fix: fixArchived}
	case says("not appear to be a git repository", "not found", "no such", "does not exist", "could not be found", "not a git repository"):
		return verdict{kind: statestore.ErrMisconfigured, fix: fixURL}
	case says("denied", "not allowed", "read-only", "read only", "unauthorized", "permission", "forbidden"):
		return verdict{kind: statestore.ErrDenied, fix: fixSecret}
	case says("dubious ownership"):
		return verdict{kind: statestore.ErrDenied, fix: "the repository belongs to another user of this machine: let that user run this, or set git's safe.directory"}
	}
	return verdict{kind: statestore.ErrUnavailable}
}

func unwrapClient(err error) error {
	for {
		switch wrapped := err.(type) { //nolint:errorlint // it matches the wrapper itself
		case *plumbing.UnexpectedError:
			err = wrapped.Err
		case *plumbing.PermanentError:
			err = wrapped.Err
		default:
			return err
		}
	}
}

// staleTexts are parts of server messages that mean that the branch has moved.
var staleTexts = [...]string{
	"failed to update ref", "failed to lock", "cannot lock ref", "incorrect old value", "reference already exists",
	"reference does not exist", "fetch first", "non-fast-forward", "stale info", "lock_failure", "lock failure",
}

// judgeRefusal returns the verdict on a failed push.
func judgeRefusal(r refusal) verdict {
	if r.status == "" {
		v := judge(r.cause)
		v.remote = r.words
		return v
	}
	status := strings.ToLower(r.status)
	moved := func(text string) bool { return strings.Contains(status, text) }
	switch {
	case r.always, strings.HasPrefix(status, "protected branch hook declined"):
		return verdict{kind: statestore.ErrDenied, remote: r.words, fix: fixHook}
	case isHooks(status):
		return verdict{kind: statestore.ErrContentRefused, remote: r.words, fix: fixHook}
	case slices.ContainsFunc(staleTexts[:], moved):
		return verdict{kind: statestore.ErrStale, remote: r.words}
	case isUnpack(status) && rejectsContent(r.words):
		return verdict{kind: statestore.ErrContentRefused, remote: r.words, fix: fixUnpack}
	case isUnpack(status):
		return verdict{kind: statestore.ErrUnavailable, remote: r.words}
	case strings.Contains(status, "missing necessary objects"):
		return verdict{kind: statestore.ErrUnavailable, remote: r.words, fix: fixDamaged}
	}
	return verdict{kind: statestore.ErrContentRefused, remote: r.words, fix: fixHook}
}

// isUnpack reports whether the status of a push means that the server could not unpack the objects.
func isUnpack(status string) bool { return strings.HasPrefix(strings.ToLower(status), "unpack") }

// rejectsContent reports whether git's output means that objects were rejected because of
// receive.fsckObjects or receive.maxInputSize.
func rejectsContent(words string) bool {
	return strings.Contains(words, "fsck error") || strings.Contains(words, "exceeds maximum allowed size")
}

// isHooks reports whether the status of a push means that a hook has rejected it.
func isHooks(status string) bool { return strings.Contains(strings.ToLower(status), "declined") }

func judgeStatus(answer *statusError) verdict {
	v := verdict{kind: statestore.ErrMisconfigured, fix: fixURL, remote: answer.words, wait: answer.wait()}
	switch code := answer.code; {
	case code == http.StatusProxyAuthRequired:
		v.kind, v.fix = statestore.ErrUnavailable, fixProxy
	case answer.limited():
		v.kind, v.fix = statestore.ErrUnavailable, fixLimit
	case code >= 500, code == http.StatusRequestTimeout:
		v.kind, v.fix = statestore.ErrUnavailable, ""
	case code == http.StatusUnauthorized:
		v.kind, v.fix = statestore.ErrDenied, fixSecret
	case code == http.StatusForbidden:
		v.kind, v.fix = statestore.ErrDenied, judgeText(answer.words).fixOr(fixSecret)
	case code == http.StatusRequestEntityTooLarge:
		v.kind, v.fix = statestore.ErrContentRefused, "the server or a proxy before it limits the size of a push: raise the limit"
	}
	return v
}

func isPathError(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path)
}

// maxMessage is the maximum length in bytes of a server's message in an error.
const maxMessage = 4 << 10

// oneSentence joins the lines of a text, removes control characters, and truncates the result.
func oneSentence(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if i := strings.LastIndexByte(line, '\r'); i >= 0 {
			line = line[i+1:]
		}
		line = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return -1
			}
			return r
		}, line)
		if line != "" {
			lines = append(lines, line)
		}
	}
	joined := strings.Join(lines, "; ")
	if len(joined) > maxMessage {
		joined = strings.ToValidUTF8(joined[:maxMessage], "") + "..."
	}
	return joined
}
