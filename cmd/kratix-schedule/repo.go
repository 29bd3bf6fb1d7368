package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
)

// The environment variables with the credentials for a repository. The password is also the
// passphrase of an ssh key.
const (
	repoUserVariable     = envPrefix + "REPO_USERNAME"
	repoPasswordVariable = envPrefix + "REPO_PASSWORD"
)

func (f *treeFlags) readRepository(ctx context.Context) ([]tree.File, []statestore.Obstacle, error) {
	url, branch := splitBranch(f.repo)
	if isDir(url) {
		url = absolute(url)
	}
	// If the URL has no branch, the branch main or the default branch is read. No branch is
	// created.
	config := git.Config{Name: "--repo", URL: url, Branch: branch, CreateBranch: branch == "", Now: time.Now}
	if err := f.logIn(&config); err != nil {
		return nil, nil, err
	}
	if _, err := kratix.ParseGitURL(url); err != nil {
		return nil, nil, exit{code: exitUsage, text: "--repo: " + err.Error()}
	}
	store, err := git.Open(config)
	if err != nil {
		return nil, nil, f.withoutStoreFix(err)
	}
	state, err := store.Read(ctx)
	if err != nil {
		return nil, nil, f.withoutStoreFix(noBranch(err))
	}
	if state.Revision == "" {
		return nil, nil, exit{code: exitUsage, text: fmt.Sprintf("--repo: there is no such repository, or nothing in its branch %s", cmp.Or(branch, git.DefaultBranch))}
	}
	files := make([]tree.File, 0, state.Files.Len())
	for name := range state.Files.All() {
		content, err := state.Contents.Content(ctx, name)
		if err != nil {
			return nil, nil, f.withoutStoreFix(err)
		}
		files = append(files, tree.File{Path: name, Content: content})
	}
	return files, slices.Collect(state.Obstacles.Below(tree.Path{})), nil
}

func (f *treeFlags) logIn(config *git.Config) error {
	scheme, _, found := strings.Cut(config.URL, "://")
	switch {
	case scheme == "ssh", !found && isShortSSH(config.URL):
		if f.noLogin != "" {
			return exit{code: exitUsage, text: f.noLogin}
		}
		key, err := f.sshKey()
		config.Auth.SSH = key
		return err
	case f.noLogin != "":
	case scheme == "http", scheme == "https":
		config.Auth.Username, config.Auth.Password = os.Getenv(repoUserVariable), os.Getenv(repoPasswordVariable)
	}
	return nil
}

// isShortSSH reports whether a URL without a scheme has git's short ssh form, host:path.
func isShortSSH(url string) bool {
	head, _, _ := strings.Cut(url, "/")
	return strings.Contains(head, ":")
}

// sshKey returns the key for the login and the known hosts.
func (f *treeFlags) sshKey() (git.SSH, error) {
	file, err := f.keyFile()
	if err != nil {
		return git.SSH{}, err
	}
	key, err := readFlag("--repo-key", file)
	if err != nil {
		return git.SSH{}, err
	}
	passphrase := os.Getenv(repoPasswordVariable)
	_, err = ssh.ParsePrivateKey([]byte(key))
	locked := &ssh.PassphraseMissingError{}
	if errors.As(err, &locked) {
		if passphrase == "" {
			return git.SSH{}, exit{code: exitUsage, text: "--repo-key " + file + ": the key is encrypted; put its passphrase into " + repoPasswordVariable}
		}
		_, err = ssh.ParsePrivateKeyWithPassphrase([]byte(key), []byte(passphrase))
	}
	if err != nil {
		return git.SSH{}, exit{code: exitUsage, text: "--repo-key " + file + ": " + err.Error()}
	}
	known, err := readFlag("--repo-known-hosts", cmp.Or(f.knownHosts, filepath.Join(sshDir(), "known_hosts")))
	return git.SSH{PrivateKey: key, Passphrase: passphrase, KnownHosts: known}, err
}

// keyFile returns the path of the key in --repo-key, or of a key in ~/.ssh.
func (f *treeFlags) keyFile() (string, error) {
	if f.key != "" {
		return f.key, nil
	}
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		if file := filepath.Join(sshDir(), name); isFile(file) {
			return file, nil
		}
	}
	return "", exit{code: exitUsage, text: "--repo: an ssh URL needs a private key: name its file with --repo-key; there is none in " + sshDir()}
}

func sshDir() string {
	home, _ := os.UserHomeDir() // without a home directory, the path is relative
	return filepath.Join(home, ".ssh")
}

func readFlag(flag, file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", exit{code: exitUsage, text: fmt.Sprintf("%s: %s %s: %s", flag, dir.ErrPath, file, unwrapped(err))}
	}
	return string(content), nil
}

// noBranch returns an error about the branch as a usage error, and other errors unchanged.
func noBranch(err error) error {
	var failed *statestore.Error
	if !errors.As(err, &failed) || failed.Field != "spec.branch" {
		return err
	}
	return exit{code: exitUsage, text: "--repo: " + strings.TrimPrefix(failed.Err.Error(), statestore.ErrMisconfigured.Error()+": ")}
}

// withoutStoreFix replaces the fix of a failed repository, because there is no state store to
// correct.
func (f *treeFlags) withoutStoreFix(err error) error {
	var failed *statestore.Error
	if !errors.As(err, &failed) {
		return err
	}
	told := *failed
	switch {
	case f.noLogin != "" && (errors.Is(err, statestore.ErrDenied) || errors.Is(err, statestore.ErrMisconfigured)):
		told.Fix = strings.ToUpper(f.noLogin[:1]) + f.noLogin[1:] + "."
	case errors.Is(err, statestore.ErrDenied):
		told.Fix = "Put the user and the password or token into " + repoUserVariable + " and " + repoPasswordVariable +
			", or for ssh name a key that may read with --repo-key."
	case errors.Is(err, statestore.ErrMisconfigured):
		told.Fix = "Check the URL; a private repository also looks missing to who may not see it. Name the certificate of a CA of your own in " +
			"SSL_CERT_FILE, and the file with an ssh server's key with --repo-known-hosts."
	default:
		told.Fix = "Check that the server can be reached, and try again."
	}
	return &told
}
