package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

const maxRedirects = 10

// smartTransport implements git's smart HTTP protocol. The library's own transport is not used,
// because it cannot read from some hosts (see docs/decisions/libraries.md).
type smartTransport struct {
	client *http.Client
	// base is the configured URL of the repository, without user and password.
	base string
	// known is the cached list of references for fetches.
	known *advertisement
}

var _ transport.Transport = smartTransport{}

func (t smartTransport) NewUploadPackSession(_ *transport.Endpoint, auth transport.AuthMethod) (transport.UploadPackSession, error) {
	return t.session(transport.UploadPackServiceName, auth)
}

func (t smartTransport) NewReceivePackSession(_ *transport.Endpoint, auth transport.AuthMethod) (transport.ReceivePackSession, error) {
	return t.session(transport.ReceivePackServiceName, auth)
}

func (t smartTransport) session(service string, auth transport.AuthMethod) (*smartSession, error) {
	s := &smartSession{client: *t.client, base: t.base, service: service}
	s.client.CheckRedirect = checkRedirect
	if service == transport.UploadPackServiceName {
		s.known = t.known
	}
	if auth == nil {
		return s, nil
	}
	var ok bool
	if s.auth, ok = auth.(githttp.AuthMethod); !ok {
		return nil, transport.ErrInvalidAuthMethod
	}
	return s, nil
}

// smartSession is one exchange with a service: at most one request for the references, and then at
// most one other request.
type smartSession struct {
	client  http.Client
	base    string
	service string
	auth    githttp.AuthMethod
	// known is nil for pushes.
	known *advertisement
}

func (s *smartSession) AdvertisedReferences() (*packp.AdvRefs, error) {
	return s.AdvertisedReferencesContext(context.Background())
}

func (s *smartSession) AdvertisedReferencesContext(ctx context.Context) (*packp.AdvRefs, error) {
	answer, err := s.do(ctx, http.MethodGet, s.base+infoRefs+separator(s.base)+"service="+s.service, http.NoBody)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if err := s.follow(answer.Request.URL); err != nil {
		return nil, err
	}
	return s.known.decode(answer, s.service)
}

const infoRefs = "/info/refs"

func separator(base string) string {
	if strings.Contains(base, "?") {
		return "&"
	}
	return "?"
}

// follow makes later requests use the URL to which the first was redirected. Another origin gets no
// credentials.
func (s *smartSession) follow(final *url.URL) error {
	first, err := url.Parse(s.base)
	if err != nil {
		return err
	}
	ends, err := url.Parse(s.base + infoRefs)
	if err != nil {
		return err
	}
	if final.Scheme == ends.Scheme && final.Host == ends.Host && final.EscapedPath() == ends.EscapedPath() {
		return nil
	}
	base, ok := strings.CutSuffix(final.EscapedPath(), infoRefs)
	if !ok {
		return redirectError{"to " + final.Redacted() + ", which does not end with " + infoRefs}
	}
	if !sameOrigin(first, final) {
		s.auth = nil
	}
	s.base = final.Scheme + "://" + final.Host + base
	return nil
}

type redirectError struct{ why string }

func (r redirectError) Error() string { return "http redirect " + r.why }

// checkRedirect is the CheckRedirect function of an http.Client. It rejects redirects of a POST or
// from https to http. Other origins get no credentials.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case first.Method != http.MethodGet:
		return redirectError{"of a request that is not the first"}
	case len(via) > maxRedirects:
		return redirectError{fmt.Sprintf("after %d others", maxRedirects)}
	case next.URL.Scheme != first.URL.Scheme && (first.URL.Scheme != "http" || next.URL.Scheme != "https"):
		return redirectError{fmt.Sprintf("from %s to %s", first.URL.Scheme, next.URL.Scheme)}
	}
	for _, hop := range append(via[1:len(via):len(via)], next) {
		if !sameOrigin(first.URL, hop.URL) {
			next.Header.Del("Authorization")
		}
	}
	return nil
}

// sameOrigin reports whether credentials for a may be sent to b. It allows a change from http to
// https with the default ports.
func sameOrigin(a, b *url.URL) bool {
	if !strings.EqualFold(a.Hostname(), b.Hostname()) {
		return false
	}
	if a.Scheme == b.Scheme {
		return portOf(a) == portOf(b)
	}
	return a.Scheme == "http" && b.Scheme == "https" && portOf(a) == "80" && portOf(b) == "443"
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}

func (s *smartSession) UploadPack(ctx context.Context, ask *packp.UploadPackRequest) (*packp.UploadPackResponse, error) {
	if err := ask.Validate(); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if err := sendUpload(&body, ask, withoutFlush); err != nil {
		return nil, err
	}
	answer, err := s.post(ctx, &body)
	if err != nil {
		return nil, err
	}
	decoded := packp.NewUploadPackResponse(ask)
	if err := decoded.Decode(answer.Body); err != nil {
		answer.Body.Close()
		return nil, err
	}
	return decoded, nil
}

func (s *smartSession) ReceivePack(ctx context.Context, ask *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error) {
	var body bytes.Buffer
	if err := ask.Encode(&body); err != nil {
		return nil, err
	}
	answer, err := s.post(ctx, &body)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	report, err := readReport(answer.Body, ask)
	if err != nil || report == nil {
		return nil, err
	}
	return report, report.Error()
}

func (s *smartSession) Close() error { return nil }

func (s *smartSession) post(ctx context.Context, body *bytes.Buffer) (*http.Response, error) {
	return s.do(ctx, http.MethodPost, s.base+"/"+s.service, body)
}

// do sends a request. It returns an error unless the status of the response is 2xx, or 304 after a
// conditional request.
func (s *smartSession) do(ctx context.Context, method, at string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, errors.New("the URL cannot be read") // the text of err contains the URL
	}
	request.Header.Set("User-Agent", capability.DefaultAgent())
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-"+s.service+"-request")
		request.Header.Set("Accept", "application/x-"+s.service+"-result")
	} else {
		request.Header.Set("Accept", "*/*")
		if etag := s.known.tag(); etag != "" {
			request.Header.Set("If-None-Match", etag)
		}
	}
	if s.auth != nil {
		s.auth.SetAuth(request)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		if ended := ctx.Err(); ended != nil {
			return nil, ended
		}
		var failed *url.Error
		if errors.As(err, &failed) { // the text of err contains the URL
			return nil, failed.Err
		}
		return nil, err
	}
	if answer.StatusCode/100 != 2 && (answer.StatusCode != http.StatusNotModified || request.Header.Get("If-None-Match") == "") {
		defer answer.Body.Close()
		return nil, newStatusError(answer)
	}
	return answer, nil
}

type statusError struct {
	code   int
	status string
	header http.Header
	words  string
}

func newStatusError(answer *http.Response) *statusError {
	e := &statusError{code: answer.StatusCode, status: answer.Status, header: answer.Header}
	kind, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";")
	if kind == "text/plain" || kind == "application/json" {
		said, _ := io.ReadAll(io.LimitReader(answer.Body, maxMessage)) // a part of the text is also useful
		e.words = string(said)
	}
	return e
}

func (e *statusError) Error() string {
	switch {
	case e.limited():
		return "it limits the number of requests (" + e.status + ")"
	case e.code == http.StatusUnauthorized:
		return "authentication required"
	case e.code == http.StatusForbidden:
		return "authorization failed"
	case e.code == http.StatusNotFound:
		return "repository not found"
	}
	return "it answers " + e.status
}
