package git

import (
	"context"
	"encoding/base64"

	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

type credentials interface {
	// login returns the authentication method to use now, or nil if there is none.
	login(ctx context.Context) (transport.AuthMethod, error)
	// refused is called after the server has rejected the credentials.
	refused()
	// secrets returns texts that must not appear in errors.
	secrets() []string
}

type fixed struct {
	method transport.AuthMethod
	hidden []string
}

var _ credentials = fixed{}

func (f fixed) login(context.Context) (transport.AuthMethod, error) { return f.method, nil }

func (fixed) refused() {}

func (f fixed) secrets() []string { return f.hidden }

// fixedHTTP returns HTTP credentials that do not change.
func fixedHTTP(auth Auth) fixed {
	switch {
	case auth.Bearer != "":
		return fixed{&githttp.TokenAuth{Token: auth.Bearer}, []string{auth.Bearer}}
	case auth.Username == "" && auth.Password == "":
		return fixed{}
	}
	user := orDefault(auth.Username, "git")
	f := fixed{&githttp.BasicAuth{Username: user, Password: auth.Password}, []string{auth.Password, basic(user, auth.Password)}}
	if auth.Password == "" { // the user name is a token
		f.hidden = append(f.hidden, auth.Username)
	}
	return f
}

func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

func (r *remote) authFix() string {
	switch {
	case r.moved.elsewhere():
		return fixMoved
	case r.auth.App != (GitHubApp{}):
		return fixApp
	case r.auth.Bearer != "":
		return fixBearer
	case r.auth.SSH != (SSH{}):
		return fixSSH
	}
	return fixSecret
}
