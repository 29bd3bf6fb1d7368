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

// Defaults of Config. git's own services send a keep-alive every five seconds.
const (
	DefaultBranch  = kratix.DefaultBranch
	DefaultAuthor  = "kratix"
	DefaultSilence = 2 * time.Minute
)

// Config holds the settings of a Store: the repository, the credentials and the format of commits.
type Config struct {
	// Name is the name of the store in errors, such as "GitStateStore default".
	Name string
	// URL is an https, http, ssh or file URL, git's short form of an ssh URL (user@host:path), or a
	// path on this machine. The user and password in the URL are used if Auth is empty.
	URL string
	// Branch is the name of the branch; DefaultBranch if it is empty. refs/heads/main means
	// main.
	Branch string
	// CreateBranch lets the first write create Branch in a repository that has other
	// branches. It starts at the default branch, whose files are read until then. Without
	// CreateBranch a missing Branch is an error.
	CreateBranch bool
	// Path is the directory of the repository that contains the store, in any form that
	// tree.ParseDir accepts.
	Path string
	// Author is the author of commits, and Committer is their committer. If the name of Committer
	// is empty, Author is also the committer.
	Author, Committer Author
	// Owner is the controller ID for a trailer of each commit. If it is empty, the trailer is left
	// out.
	Owner string
	// Message is the template of commit messages; nil means the default. Trailers are added to the
	// messages; nil adds none.
	Message  *Message
	Trailers *Trailers
	// AuthorAnnotation is the annotation of Works with the author of their commits, which anyone
	// who may write a Work can set. If it is empty, Author is the author of all commits.
	AuthorAnnotation string
	// SigningKey signs the commits; they are not signed if it is empty.
	SigningKey SigningKey
	// Auth has the credentials.
	Auth Auth
	// CABundle has PEM certificates that are trusted in addition to those of the system.
	CABundle []byte
	// Insecure accepts every certificate and, if no known hosts are set, every ssh host
	// key.
	Insecure bool
	// Silence is how long a server on the network may send nothing before the connection is
	// closed; zero means DefaultSilence.
	Silence time.Duration
	// Warnings are added to every State, in addition to the store's own.
	Warnings []string
	// Notify is called once for each notice about a template or an annotation that cannot be
	// used. It may be nil.
	Notify func(message string)
	// Now returns the date of commits. It is required.
	Now func() time.Time
}

// Author is the person that a commit names; an empty Name means DefaultAuthor.
type Author struct{ Name, Email string }

// clean returns the author without characters that are invalid in a commit's header. If no name is
// left, it takes the name, and if necessary the address, from fallback.
func (a Author) clean(fallback Author) Author {
	if name := identity(a.Name); name != "" {
		return Author{Name: name, Email: identity(a.Email)}
	}
	return Author{Name: fallback.Name, Email: orDefault(identity(a.Email), fallback.Email)}
}

// Auth holds the credentials; at most one kind may be set.
type Auth struct {
	// Username and Password are a user with a password or a token. A token needs no
	// Username.
	Username, Password string
	// Bearer is a token for a Bearer authorization header.
	Bearer string
	// SSH has the credentials for an ssh URL.
	SSH SSH
	// App has the credentials of a GitHub App.
	App GitHubApp
}

// newStore returns a Store that has no branch yet.
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

// warnings returns the warnings that need no request to the server.
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
