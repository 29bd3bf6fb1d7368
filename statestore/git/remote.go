package git

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// remote is the repository and the branch a store writes to.
type remote struct {
	client   transport.Transport
	endpoint transport.Endpoint
	auth     transport.AuthMethod
	branch   plumbing.ReferenceName
	// local is the repository's directory when it is on this machine.
	local string
	// secrets must not appear in errors.
	secrets []string
}

func newRemote(config Config, branch plumbing.ReferenceName) (*remote, error) {
	scheme, _, found := strings.Cut(config.URL, "://")
	switch {
	case config.URL == "":
		return nil, errors.New("no URL")
	case !found && isSCP(config.URL):
		parsed, err := parseSCP(config.URL)
		if err != nil {
			return nil, err
		}
		return sshRemote(config, parsed, branch)
	case !found:
		return localRemote(config.URL, branch)
	}
	parsed, err := url.Parse(config.URL)
	if err != nil {
		return nil, errors.New("the URL cannot be read") // err would repeat the URL, and a password in it
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		return httpRemote(config, parsed, branch)
	case "ssh":
		return sshRemote(config, parsed, branch)
	case "file":
		return fileRemote(parsed, branch)
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
func fileRemote(parsed *url.URL, branch plumbing.ReferenceName) (*remote, error) {
	switch parsed.Host {
	case "", "localhost":
		return localRemote(parsed.Path, branch)
	case ".":
		return localRemote("."+parsed.Path, branch)
	}
	return nil, fmt.Errorf("file URL names the host %q: write file:///path, or file://./path for a relative one", parsed.Host)
}

func localRemote(path string, branch plumbing.ReferenceName) (*remote, error) {
	dir, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return &remote{
		client: pipedTransport{processes{dir}},
		branch: branch,
		local:  dir,
	}, nil
}

func httpRemote(config Config, parsed *url.URL, branch plumbing.ReferenceName) (*remote, error) {
	if parsed.Hostname() == "" {
		return nil, errors.New("the URL names no host")
	}
	client, err := newHTTPClient(config)
	if err != nil {
		return nil, err
	}
	auth := config.Auth
	if password, _ := parsed.User.Password(); auth == (Auth{}) && parsed.User != nil {
		auth = Auth{Username: parsed.User.Username(), Password: password}
	}
	r := &remote{client: githttp.NewClientWithOptions(client, nil), branch: branch, secrets: secrets(auth, parsed.User)}
	parsed.User = nil
	parsed.Path = strings.TrimRight(parsed.Path, "/")
	parsed.RawPath = strings.TrimRight(parsed.RawPath, "/")
	endpoint, err := transport.NewEndpoint(parsed.String())
	if err != nil {
		return nil, err
	}
	r.endpoint = *endpoint
	if auth != (Auth{}) {
		r.auth = &githttp.BasicAuth{Username: orDefault(auth.Username, "git"), Password: auth.Password}
	}
	return r, nil
}

// secrets lists what to hide. A user name without a password is a token.
func secrets(auth Auth, inURL *url.Userinfo) []string {
	hidden := []string{auth.Password}
	if auth.Password == "" {
		hidden = append(hidden, auth.Username)
	}
	if inURL != nil {
		password, _ := inURL.Password()
		hidden = append(hidden, password, inURL.String())
		if password == "" {
			hidden = append(hidden, inURL.Username())
		}
	}
	return hidden
}

// redact hides the secrets in a text, as they are and as a URL spells them.
func (r *remote) redact(text string) string {
	for _, secret := range r.secrets {
		if secret == "" {
			continue
		}
		for _, spelling := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
			text = strings.ReplaceAll(text, spelling, "***")
		}
	}
	return text
}

// advertise opens a session and asks which references there are; an empty
// repository has none.
func advertise[S transport.Session](ctx context.Context, r *remote,
	open func(*transport.Endpoint, transport.AuthMethod) (S, error)) (session S, refs *packp.AdvRefs, err error) {

	if err := ctx.Err(); err != nil {
		return session, nil, err
	}
	endpoint := r.endpoint // a redirect changes the session's own copy
	if session, err = open(&endpoint, r.auth); err != nil {
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
