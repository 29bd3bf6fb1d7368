package git

import (
	"context"
	"encoding/base64"

	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// credentials are what a remote is shown.
type credentials interface {
	// login returns what to show now; nil when there is nothing.
	login(ctx context.Context) (transport.AuthMethod, error)
	// refused hears that the server did not like it.
	refused()
	// secrets must not appear in errors.
	secrets() []string
}

// fixed are credentials that never change.
type fixed struct {
	method transport.AuthMethod
	hidden []string
}

var _ credentials = fixed{}

func (f fixed) login(context.Context) (transport.AuthMethod, error) { return f.method, nil }

func (fixed) refused() {}

func (f fixed) secrets() []string { return f.hidden }

// fixedHTTP shows a bearer token, or a user with a password; a token shown as a
// password needs no user.
func fixedHTTP(auth Auth) fixed {
	switch {
	case auth.Bearer != "":
		return fixed{&githttp.TokenAuth{Token: auth.Bearer}, []string{auth.Bearer}}
	case auth.Username == "" && auth.Password == "":
		return fixed{}
	}
	user := orDefault(auth.Username, "git")
	f := fixed{&githttp.BasicAuth{Username: user, Password: auth.Password}, []string{auth.Password, basic(user, auth.Password)}}
	if auth.Password == "" { // then the user's name is the token
		f.hidden = append(f.hidden, auth.Username)
	}
	return f
}

// basic is how a user and a password look in a request.
func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

// authHint says where the credentials come from.
func (r *remote) authHint() string {
	switch {
	case r.moved.elsewhere():
		return hintMoved
	case r.auth.App != (GitHubApp{}):
		return hintApp
	case r.auth.Bearer != "":
		return hintBearer
	case r.auth.SSH != (SSH{}):
		return hintSSH
	}
	return hintSecret
}
