package git

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Defaults for what a Config leaves empty. git's own services give a sign of
// life every five seconds.
const (
	DefaultBranch  = kratix.DefaultBranch
	DefaultAuthor  = "kratix"
	DefaultSilence = 2 * time.Minute
)

// Config says which repository a Store writes to, and as whom.
type Config struct {
	// Name is what errors call the store, such as "GitStateStore default".
	Name string
	// URL is an https, http, ssh or file URL, git's short spelling of ssh
	// (user@host:path), or a path on this machine. User and password inside the
	// URL are used when Auth is empty.
	URL string
	// Branch is DefaultBranch when empty. refs/heads/main is main.
	Branch string
	// CreateBranch lets the first write make Branch in a repository that has other
	// branches, from the default one, whose files are shown until then. Otherwise
	// such a Branch is an error.
	CreateBranch bool
	// Path is the directory of the repository that holds the store, in any
	// spelling tree.ParseDir takes.
	Path string
	// Author is who the commits are by; Committer, who made them, is the same
	// when it has no name.
	Author, Committer Author
	// Owner identifies the writer in a trailer of each commit, if it is set.
	Owner string
	// Message replaces the default text of commits, if it is set.
	Message *Message
	// SigningKey signs the commits, if it is set.
	SigningKey SigningKey
	// Auth is how to log in.
	Auth Auth
	// CABundle holds PEM certificates that are trusted beside the system's.
	CABundle []byte
	// Insecure accepts every certificate, and, when no known hosts are given,
	// every ssh server.
	Insecure bool
	// Silence is how long a server on the network may say nothing before it is
	// given up; DefaultSilence when zero.
	Silence time.Duration
	// Warnings are reported with every State, beside what the store itself finds.
	Warnings []string
	// Now dates the commits. It is required.
	Now func() time.Time
}

// Author is the person a commit names; Name is DefaultAuthor when empty.
type Author struct{ Name, Email string }

// clean drops what would break a commit's header; without a name it is another.
func (a Author) clean(otherwise Author) Author {
	if name := identity(a.Name); name != "" {
		return Author{Name: name, Email: identity(a.Email)}
	}
	return Author{Name: otherwise.Name, Email: orDefault(identity(a.Email), otherwise.Email)}
}

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

// newStore makes a Store without its branch.
func newStore(config Config) (*Store, error) {
	if config.Now == nil {
		return nil, errors.New("no clock given")
	}
	path, err := tree.ParseDir(config.Path)
	if err != nil {
		return nil, statestore.InField("spec.path", err)
	}
	sign, err := newSigner(config.SigningKey, config.Now)
	if err != nil {
		return nil, statestore.InField("spec.secretRef", err)
	}
	author := config.Author.clean(Author{Name: DefaultAuthor})
	return &Store{
		name: config.Name,
		path: path,
		style: style{
			author: author, committer: config.Committer.clean(author), owner: config.Owner,
			template: config.Message, key: config.SigningKey,
		},
		sign:     sign,
		now:      config.Now,
		warnings: config.warnings(),
	}, nil
}

// warnings are what can be known to be doubtful without asking the server.
func (c Config) warnings() []string {
	said := slices.Clone(c.Warnings)
	scheme, _, _ := strings.Cut(strings.ToLower(c.URL), "://")
	switch {
	case c.Insecure && scheme == "https":
		said = append(said, "spec.insecure is set, so the server's certificate is not verified: whoever stands between can read the credentials and change what is deployed; "+
			"put the CA's certificate into key ca.crt of the Secret instead")
	case c.Insecure && c.Auth.SSH != (SSH{}) && c.Auth.SSH.KnownHosts == "":
		said = append(said, "spec.insecure is set and the Secret has no key knownHosts, so the server's key is not verified: whoever stands between can change what is deployed")
	}
	if scheme == "http" && c.Auth != (Auth{}) {
		said = append(said, "spec.url begins with http://, so the credentials travel unencrypted: use https://")
	}
	return said
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
