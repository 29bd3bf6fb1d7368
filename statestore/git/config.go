package git

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// Defaults for what a Config leaves empty.
const (
	DefaultBranch = "main"
	DefaultAuthor = "kratix"
)

// Config says which repository a Store writes to, and as whom.
type Config struct {
	// Name is what errors call the store, such as "GitStateStore default".
	Name string
	// URL is an http, https or file URL, or a path on this machine. User and
	// password inside the URL are used when Auth is empty.
	URL string
	// Branch is DefaultBranch when empty.
	Branch string
	// Path is the directory of the repository that holds the store, in any
	// spelling tree.ParseDir takes.
	Path string
	// Author signs the commits.
	Author Author
	// Auth is sent to http and https servers.
	Auth Auth
	// CABundle holds PEM certificates that are trusted beside the system's.
	CABundle []byte
	// Insecure accepts every certificate.
	Insecure bool
	// Now dates the commits. It is required.
	Now func() time.Time
}

// Author is the person a commit names; Name is DefaultAuthor when empty.
type Author struct{ Name, Email string }

// Auth is how to log in; at most one of its parts is used.
type Auth struct {
	// Username and Password are a user with a password or token. Tokens need no
	// Username.
	Username, Password string
	// Bearer is a token that is sent as such.
	Bearer string
	// SSH is for ssh URLs.
	SSH SSH
	// App is a GitHub App.
	App GitHubApp
}

// Open checks the configuration and makes a Store of it. It connects to
// nothing yet.
func Open(config Config) (*Store, error) {
	store, err := open(config)
	if err != nil {
		return nil, &statestore.Error{
			Op: "open", Store: config.Name,
			Err:  fmt.Errorf("%w: %w", statestore.ErrMisconfigured, err),
			Hint: "correct spec.url, spec.branch or spec.path of the state store",
		}
	}
	return store, nil
}

func open(config Config) (*Store, error) {
	if config.Now == nil {
		return nil, errors.New("no clock given")
	}
	path, err := tree.ParseDir(config.Path)
	if err != nil {
		return nil, err
	}
	remote, err := newRemote(config)
	if err != nil {
		return nil, err
	}
	return &Store{
		name:   config.Name,
		path:   path,
		author: Author{Name: identity(orDefault(config.Author.Name, DefaultAuthor)), Email: identity(config.Author.Email)},
		now:    config.Now,
		branch: newBranch(remote),
	}, nil
}

func orDefault(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// identity drops what would break the header of a commit.
func identity(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == '<' || r == '>' || r == 0x7f {
			return -1
		}
		return r
	}, s))
}
