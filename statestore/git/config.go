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

// These are the defaults of Config.
const (
	DefaultBranch  = kratix.DefaultBranch
	DefaultAuthor  = "kratix"
	DefaultSilence = 2 * time.Minute
)

// Config has the settings of a Store.
type Config struct {
	// Name is the name of the store in errors, such as "GitStateStore default".
	Name string
	// URL is an https, http, ssh or file URL, git's short form of an ssh URL (user@host:path), or a
	// path on this machine. If Auth is empty, the user and the password in an https or http URL are
	// used.
	URL string
	// Branch is the name of the branch, such as main or refs/heads/main. The default is
	// DefaultBranch.
	Branch string
	// CreateBranch means that the first write creates a missing Branch from the default branch,
	// whose files Read returns until then. Without CreateBranch, a missing Branch is an error,
	// unless the repository has no branches.
	CreateBranch bool
	// Path is the directory of the store in the repository, in any form that tree.ParseDir accepts.
	Path string
	// Author is the default author of commits, and Committer is their committer. The default name
	// of Author is DefaultAuthor. The default of Committer is Author.
	Author, Committer Author
	// Owner is the controller ID for a trailer of commit messages. It may be empty.
	Owner string
	// Message is the template of commit messages, or nil for the default message. Trailers are
	// added to messages, and may be nil.
	Message  *Message
	Trailers *Trailers
	// AuthorAnnotation is the key of an annotation of Works with the author of their commits. It
	// may be empty. Anyone who may write a Work can set the annotation.
	AuthorAnnotation string
	// SigningKey is the key that signs commits. If it is empty, they are not signed.
	SigningKey SigningKey
	// Auth has the credentials for the server.
	Auth Auth
	// CABundle has PEM certificates of CAs that are trusted in addition to those of the system.
	CABundle []byte
	// Insecure means that TLS certificates are not verified. Without known hosts, ssh host keys are
	// not verified either.
	Insecure bool
	// Silence is the time without data after which a connection is closed. Zero means
	// DefaultSilence.
	Silence time.Duration
	// Warnings are added to State.Warnings.
	Warnings []string
	// Notify is called with notices about templates and annotations that cannot be used. It may be
	// nil.
	Notify func(message string)
	// Now returns the time for the date of commits. It must not be nil.
	Now func() time.Time
}

// Author is a person in a commit.
type Author struct{ Name, Email string }

// clean returns the author without characters that are invalid in the header of a commit. If there
// is no name, missing parts are taken from fallback.
func (a Author) clean(fallback Author) Author {
	if name := identity(a.Name); name != "" {
		return Author{Name: name, Email: identity(a.Email)}
	}
	return Author{Name: fallback.Name, Email: orDefault(identity(a.Email), fallback.Email)}
}

// Auth has the credentials for the server. At most one kind may be set.
type Auth struct {
	// Username and Password are a user with a password or a token. With a token, Username may be
	// empty.
	Username, Password string
	// Bearer is a bearer token.
	Bearer string
	// SSH has the credentials for an ssh URL.
	SSH SSH
	// App has the credentials of a GitHub App.
	App GitHubApp
}

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
			template: config.Message, trailers: config.Trailers, authorFrom: config.AuthorAnnotation, key: config.SigningKey,
		},
		notices:  notices{notify: config.Notify},
		sign:     sign,
		now:      config.Now,
		warnings: config.warnings(),
	}, nil
}

func (c Config) warnings() []string {
	said := slices.Clone(c.Warnings)
	scheme, _, _ := strings.Cut(strings.ToLower(c.URL), "://")
	switch {
	case c.Insecure && scheme == "https":
		said = append(said, "spec.insecure is set, so the server's certificate is not verified: anyone on the network path can read the credentials and change what is deployed; "+
			"put the CA's certificate into key ca.crt of the Secret instead")
	case c.Insecure && c.Auth.SSH != (SSH{}) && c.Auth.SSH.KnownHosts == "":
		said = append(said, "spec.insecure is set and the Secret has no key knownHosts, so the server's key is not verified: anyone on the network path can change what is deployed")
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

// identity removes characters that are invalid in the header of a commit.
func identity(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == '<' || r == '>' || r == 0x7f {
			return -1
		}
		return r
	}, s))
}
