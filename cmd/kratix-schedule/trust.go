package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The author of a configuration may be anyone who can open a pull request. A configuration can
// therefore neither decide where credentials are sent, nor cause writes outside of writableDir.

// fileSetFlag is the annotation of a flag that a configuration has set. Its value is the
// configuration and the directory that it may write to.
const fileSetFlag = "set-by-file"

// repoHostVariable names the host that may receive credentials when a configuration names the
// repository.
const repoHostVariable = envPrefix + "REPO_HOST"

func markSetByFile(c *cobra.Command, flag *pflag.Flag, file string) error {
	within, err := writableDir(file)
	if err != nil {
		return err
	}
	return c.Flags().SetAnnotation(flag.Name, fileSetFlag, []string{file, within})
}

func setByFile(c *cobra.Command, name string) (file, within string, ok bool) {
	flag := c.Flags().Lookup(name)
	if flag == nil || len(flag.Annotations[fileSetFlag]) == 0 {
		return "", "", false
	}
	return flag.Annotations[fileSetFlag][0], flag.Annotations[fileSetFlag][1], true
}

// writableDir returns the directory below which a configuration may name files to write.
func writableDir(file string) (string, error) {
	working, err := os.Getwd()
	if err != nil {
		return "", err
	}
	own, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return "", err
	}
	if below, err := filepath.Rel(own, working); err == nil && filepath.IsLocal(below) {
		return own, nil
	}
	return working, nil
}

// target is a file to write. If within is set, the file must be in that directory.
type target struct{ file, within string }

func targetOf(c *cobra.Command, name, file string) (target, error) {
	config, within, ok := setByFile(c, name)
	if !ok || file == "" {
		return target{file: file}, nil
	}
	to := target{file: file, within: within}
	if below, err := to.below(); err != nil || !filepath.IsLocal(below) {
		return to, exit{code: exitUsage, text: fmt.Sprintf("%s: %s: it names %s, which is outside of %s: name the file on the command line with --%s, or one in that directory",
			config, name, file, within, name)}
	}
	return to, nil
}

func (t target) below() (string, error) {
	absolute, err := filepath.Abs(t.file)
	if err != nil {
		return "", err
	}
	return filepath.Rel(t.within, absolute)
}

func (t target) create() (*os.File, error) {
	const mode = 0o644
	if t.within == "" {
		return os.OpenFile(t.file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode) //nolint:gosec // a path given by the user
	}
	below, err := t.below()
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(t.within)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // closing root does not close the files opened in it
	return root.OpenFile(below, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
}

// mayLogIn reports whether credentials may be sent to a repository, and if not, why.
func mayLogIn(c *cobra.Command, repository string) (why string, may bool) {
	config, _, ok := setByFile(c, "repo")
	if !ok {
		return "", true
	}
	address, plain := serverOf(repository)
	bound := os.Getenv(repoHostVariable)
	switch {
	case address == "":
		return "", true // the repository is on this machine
	case bound != "" && strings.EqualFold(bound, address) && !plain:
		return "", true
	case bound != "" && strings.EqualFold(bound, address):
		return fmt.Sprintf("no credentials are sent to %s: %s names it, and what is sent to http:// can be read on the way: use https://, or name the repository with --repo", address, config), false
	}
	return fmt.Sprintf("no credentials are sent to %s: %s names it, and anyone who can change that file could obtain them: set %s=%s, or name the repository with --repo",
		address, config, repoHostVariable, address), false
}

// serverOf returns the address of the server of a repository, and whether the connection is
// unencrypted. The address is empty for a repository on this machine.
func serverOf(repository string) (address string, plain bool) {
	if !strings.Contains(repository, "://") {
		host, _, _ := strings.Cut(repository, ":")
		if !isShortSSH(repository) {
			return "", false
		}
		return strings.ToLower(host[strings.LastIndex(host, "@")+1:]), false
	}
	parsed, err := url.Parse(repository)
	if err != nil {
		return "an address that does not parse", true
	}
	if parsed.Scheme == "file" {
		return "", false
	}
	address = strings.ToLower(parsed.Hostname())
	defaults := map[string]string{"https": "443", "http": "80", "ssh": "22"}
	if port := parsed.Port(); port != "" && port != defaults[parsed.Scheme] {
		address += ":" + port
	}
	return address, parsed.Scheme != "https" && parsed.Scheme != "ssh"
}
