package git

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type remote struct {
	client       transport.Transport
	auth         Auth
	credentials  credentials
	branch       plumbing.ReferenceName
	createBranch bool
	// stateless means that a push needs no earlier request. offered are the capabilities for pushes
	// that the server has advertised last, or nil before the first push.
	stateless bool
	offered   *capability.List
	// local is the directory of a repository on this machine, or empty.
	local string
	// hidden are further texts that must not appear in errors.
	hidden []string
	// closeIdle closes idle connections. It may be nil.
	closeIdle func()
	moved     moved
	pause     *pause
	now       func() time.Time
}

func newRemote(config Config, near *sharedHosts) (*remote, error) {
	branch, err := branchReference(config.Branch)
	if err != nil {
		return nil, statestore.InField("spec.branch", err)
	}
	r, err := parseRemote(config, near)
	if err != nil {
		return nil, statestore.InField("spec.url", err)
	}
	r.branch, r.createBranch, r.now, r.auth = branch, config.CreateBranch, config.Now, config.Auth
	return r, nil
}

func parseRemote(config Config, near *sharedHosts) (*remote, error) {
	parsed, err := kratix.ParseGitURL(config.URL)
	if err != nil {
		return nil, err
	}
	if parsed.RawQuery != "" && (parsed.Scheme == "ssh" || parsed.Scheme == "file") {
		return nil, errors.New("the URL has a ?, which begins a query: write %3F for a ? in the path")
	}
	switch parsed.Scheme {
	case "http", "https":
		return httpRemote(config, parsed, near)
	case "ssh":
		return sshRemote(config, parsed, near)
	case "file":
		return fileRemote(parsed)
	}
	return nil, fmt.Errorf("%s URLs are not supported: use https, ssh or file", parsed.Scheme)
}

// fileRemote returns the remote for file:///path, or for file://./path relative to the working
// directory.
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
		pause:       &pause{},
	}, nil
}

func httpRemote(config Config, parsed *url.URL, near *sharedHosts) (*remote, error) {
	if parsed.Hostname() == "" {
		return nil, errors.New("the URL names no host")
	}
	server, rest := near.get(net.JoinHostPort(strings.ToLower(parsed.Hostname()), portOf(parsed)), config.Auth)
	r := &remote{stateless: true, pause: rest}
	client, err := newHTTPClient(config, server, &r.moved)
	if err != nil {
		return nil, statestore.InField("spec.secretRef", err)
	}
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
	r.client, r.closeIdle = smartTransport{client: client, base: parsed.String(), known: &advertisement{}}, client.CloseIdleConnections
	r.credentials = fixedHTTP(auth)
	if auth.App != (GitHubApp{}) {
		if r.credentials, err = newAppLogin(auth.App, client, config.Now); err != nil {
			return nil, statestore.InField("spec.secretRef", err)
		}
	}
	return r, nil
}

// hangUp closes the connections, which must be idle.
func (r *remote) hangUp() {
	if r.closeIdle != nil {
		r.closeIdle()
	}
}

// redact replaces the secrets in a text, and all parts of URLs that may be secret.
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

func advertise[S transport.Session](ctx context.Context, r *remote,
	open func(*transport.Endpoint, transport.AuthMethod) (S, error)) (session S, refs *packp.AdvRefs, err error) {

	if err := ctx.Err(); err != nil {
		return session, nil, err
	}
	if err := r.pause.over(r.now()); err != nil {
		return session, nil, err
	}
	auth, err := r.credentials.login(ctx)
	if err != nil {
		return session, nil, err
	}
	if session, err = open(nil, auth); err != nil {
		return session, nil, err
	}
	refs, err = session.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return session, packp.NewAdvRefs(), nil
	}
	if err != nil {
		session.Close() //nolint:errcheck // the first error is returned
	}
	return session, refs, err
}
