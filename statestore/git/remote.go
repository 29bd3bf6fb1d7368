package git

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// remote is the repository and the branch a store writes to.
type remote struct {
	client   transport.Transport
	endpoint transport.Endpoint
	// auth is where credentials come from.
	auth        Auth
	credentials credentials
	branch      plumbing.ReferenceName
	// only is Config.OnlyBranch.
	only bool
	// stateless says that requests of one exchange need not be sent together, and
	// offered what the server said it can do when it receives; nil before.
	stateless bool
	offered   *capability.List
	// local is the repository's directory when it is on this machine.
	local string
	// hidden are further secrets, which must not appear in errors.
	hidden []string
	moved  moved
	rest   rest
	now    func() time.Time
}

func newRemote(config Config) (*remote, error) {
	branch := plumbing.NewBranchReferenceName(orDefault(config.Branch, DefaultBranch))
	if err := branch.Validate(); err != nil {
		return nil, fmt.Errorf("branch %q: %w", config.Branch, err)
	}
	r, err := dialect(config)
	if err != nil {
		return nil, err
	}
	r.branch, r.only, r.now, r.auth = branch, config.OnlyBranch, config.Now, config.Auth
	return r, nil
}

// dialect finds out how the URL wants to be spoken to.
func dialect(config Config) (*remote, error) {
	scheme, _, found := strings.Cut(config.URL, "://")
	switch {
	case config.URL == "":
		return nil, errors.New("no URL")
	case !found && isSCP(config.URL):
		parsed, err := parseSCP(config.URL)
		if err != nil {
			return nil, err
		}
		return sshRemote(config, parsed)
	case !found:
		return localRemote(config.URL)
	}
	parsed, err := url.Parse(config.URL)
	if err != nil {
		return nil, errors.New("the URL cannot be read") // err would repeat the URL, and a password in it
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		return httpRemote(config, parsed)
	case "ssh":
		return sshRemote(config, parsed)
	case "file":
		return fileRemote(parsed)
	}
	return nil, fmt.Errorf("%s URLs are not supported", scheme)
}

// isSCP knows git's short spelling of ssh, host:path, as git does: a colon
// before the first slash.
func isSCP(s string) bool {
	head, _, _ := strings.Cut(s, "/")
	return strings.Contains(head, ":")
}

// fileRemote is what a file URL names: file:///path, or file://./path for a
// path below the working directory.
func fileRemote(parsed *url.URL) (*remote, error) {
	switch parsed.Host {
	case "", "localhost":
		return localRemote(parsed.Path)
	case ".":
		return localRemote("." + parsed.Path)
	}
	return nil, fmt.Errorf("file URL names the host %q: write file:///path, or file://./path for a relative one", parsed.Host)
}

func localRemote(path string) (*remote, error) {
	dir, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return &remote{
		client:      pipedTransport{processes{dir}},
		credentials: fixed{},
		local:       dir,
	}, nil
}

func httpRemote(config Config, parsed *url.URL) (*remote, error) {
	if parsed.Hostname() == "" {
		return nil, errors.New("the URL names no host")
	}
	r := &remote{stateless: true}
	client, err := newHTTPClient(config, &r.moved)
	if err != nil {
		return nil, err
	}
	r.client = githttp.NewClientWithOptions(client, nil)
	auth := config.Auth
	if inURL := parsed.User; inURL != nil {
		password, _ := inURL.Password()
		r.hidden = append(r.hidden, password, inURL.String())
		if password == "" {
			r.hidden = append(r.hidden, inURL.Username())
		}
		if auth == (Auth{}) {
			auth = Auth{Username: inURL.Username(), Password: password}
		}
	}
	parsed.User = nil
	parsed.Path = strings.TrimRight(parsed.Path, "/")
	parsed.RawPath = strings.TrimRight(parsed.RawPath, "/")
	endpoint, err := transport.NewEndpoint(parsed.String())
	if err != nil {
		return nil, err
	}
	r.endpoint = *endpoint
	r.credentials = fixedHTTP(auth)
	if auth.App != (GitHubApp{}) {
		if r.credentials, err = newAppLogin(auth.App, client, config.Now); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// redact hides the secrets in a text, as they are and as a URL spells them, and
// what else of URLs may be secret.
func (r *remote) redact(text string) string {
	for _, secret := range append(r.credentials.secrets(), r.hidden...) {
		if secret == "" {
			continue
		}
		for _, spelling := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
			text = strings.ReplaceAll(text, spelling, "***")
		}
	}
	return statestore.RedactURLs(text)
}

// advertise opens a session and asks which references there are; an empty
// repository has none.
func advertise[S transport.Session](ctx context.Context, r *remote,
	open func(*transport.Endpoint, transport.AuthMethod) (S, error)) (session S, refs *packp.AdvRefs, err error) {

	if err := ctx.Err(); err != nil {
		return session, nil, err
	}
	if err := r.rest.over(r.now()); err != nil {
		return session, nil, err
	}
	auth, err := r.credentials.login(ctx)
	if err != nil {
		return session, nil, err
	}
	endpoint := r.endpoint // a redirect changes the session's own copy
	if session, err = open(&endpoint, auth); err != nil {
		return session, nil, err
	}
	refs, err = session.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return session, packp.NewAdvRefs(), nil
	}
	if err != nil {
		session.Close() //nolint:errcheck // the first error is the one to tell
	}
	return session, refs, err
}
