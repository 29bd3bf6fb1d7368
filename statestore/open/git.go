package open

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
)

// Commits has settings for the commits of git stores.
type Commits struct {
	// Message is the template of commit messages, or nil for the default message. Trailers are
	// added to messages, and may be nil.
	Message  *git.Message
	Trailers *git.Trailers
	// AuthorAnnotation is the key of an annotation of Works with the author of their commits. It
	// may be empty.
	AuthorAnnotation string
	// Committer is the committer of commits. The default is the author in the store's spec.
	Committer git.Author
	// Owner is the controller ID for a trailer of commit messages. It may be empty.
	Owner string
}

func (s *Stores) openGit(ref kratix.StateStoreReference, spec *kratix.GitStateStore, secret *kratix.Secret) (statestore.Store, error) {
	config, err := gitConfig(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	config.CreateBranch = s.CreateBranch
	config.Message, config.Committer, config.Owner = s.Commits.Message, s.Commits.Committer, s.Commits.Owner
	config.Trailers, config.AuthorAnnotation = s.Commits.Trailers, s.Commits.AuthorAnnotation
	return s.repositories.open(ref, config, func() (statestore.Store, error) {
		config.Now, config.Notify = s.Now, s.Notify
		store, err := s.pool.Open(config)
		if err != nil {
			return nil, err
		}
		return store.View(), nil
	})
}

// gitConfig returns the configuration from a GitStateStore and its Secret.
func gitConfig(ref kratix.StateStoreReference, store *kratix.GitStateStore, secret *kratix.Secret) (git.Config, error) {
	spec := store.Spec
	config := git.Config{
		Name: ref.String(), URL: spec.URL, Branch: kratix.BranchName(spec.Branch), Path: spec.Path, Insecure: spec.Insecure,
		Author: git.Author{Name: spec.GitAuthor.Name, Email: spec.GitAuthor.Email},
	}
	method := orDefault(spec.AuthMethod, "basicAuth")
	if !slices.Contains([]string{"basicAuth", "ssh", "githubApp"}, method) {
		return config, Misconfigured(ref, "spec.authMethod", fmt.Sprintf("authMethod %q is not known", method), "Set spec.authMethod to basicAuth, ssh or githubApp.")
	}
	if spec.SecretRef == nil || spec.SecretRef.Name == "" {
		if method != "basicAuth" {
			return config, Misconfigured(ref, "spec.secretRef", "authMethod "+method+" needs a Secret, and spec.secretRef names none", "Name the Secret in spec.secretRef.")
		}
		return config, nil
	}
	if secret == nil {
		return config, Misconfigured(ref, "spec.secretRef", fmt.Sprintf("it names Secret %s, which is not in the input", spec.SecretRef.Key()),
			"Add the Secret, or correct spec.secretRef.")
	}
	values := &secretValues{secret: secret}
	if err := gitAuth(&config, method, values); err != nil {
		return config, Misconfigured(ref, "spec.secretRef", err.Error(), "Complete the Secret that spec.secretRef names, or correct spec.authMethod.")
	}
	config.CABundle = []byte(values.text("ca.crt"))
	config.SigningKey = git.SigningKey{PrivateKey: values.text("signingKey"), Passphrase: values.line("signingPassphrase")}
	config.Warnings = values.warnings
	return config, nil
}

func gitAuth(config *git.Config, method string, values *secretValues) error {
	auth := &config.Auth
	switch method {
	case "ssh":
		auth.SSH = git.SSH{PrivateKey: values.text("sshPrivateKey"), KnownHosts: values.text("knownHosts"), Passphrase: values.line("password")}
		if auth.SSH.PrivateKey == "" {
			return values.lacks("sshPrivateKey", "authMethod ssh needs sshPrivateKey and knownHosts")
		}
		if auth.SSH.KnownHosts == "" && !config.Insecure {
			return values.lacks("knownHosts", "without it the server could be anyone; `ssh-keyscan` shows the server's key, and someone who knows the server can confirm it")
		}
	case "githubApp":
		auth.App = git.GitHubApp{
			ID: values.line("appID"), Installation: values.line("installationID"),
			PrivateKey: values.text("privateKey"), APIURL: values.line("apiURL"),
		}
		for _, name := range []string{"appID", "installationID", "privateKey"} {
			if strings.TrimSpace(values.text(name)) == "" {
				return values.lacks(name, "authMethod githubApp needs appID, installationID and privateKey")
			}
		}
	default:
		auth.Username, auth.Password, auth.Bearer = values.line("username"), values.line("password"), values.line("bearerToken")
		switch {
		case auth.Password != "" && auth.Bearer != "":
			return errors.New(values.name() + " has both password and bearerToken, and only one can be used")
		case auth.Bearer != "":
			auth.Username = ""
		case auth.Password == "":
			return values.lacks("password", "authMethod basicAuth needs username and password, or bearerToken")
		}
	}
	return nil
}

type secretValues struct {
	secret   *kratix.Secret
	warnings []string
}

func (v *secretValues) name() string { return "Secret " + kratix.KeyOf(v.secret).String() }

func (v *secretValues) text(key string) string {
	value, _ := v.secret.Value(key)
	return value
}

// line returns the value of a key without white space around it. It adds a warning if there is any.
func (v *secretValues) line(key string) string {
	value, _ := v.secret.Value(key)
	trimmed := strings.TrimSpace(value)
	if trimmed != value {
		v.warnings = append(v.warnings, "key "+key+" of "+v.name()+" has white space around its value; it is left out, "+
			"but other programs may take it for a part: write the value without it, for one with `printf %s` in place of `echo`")
	}
	return trimmed
}

func (v *secretValues) lacks(key, why string) error {
	return errors.New(v.name() + " has no key " + key + ": " + why)
}

func orDefault(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
