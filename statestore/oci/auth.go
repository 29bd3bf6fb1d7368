package oci

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// Auth has the credentials for a registry. With the zero value, requests are anonymous.
type Auth struct {
	Username, Password string
	// TokenDir is a directory with a file for each registry, such as "registry.example.com_5000"
	// for port 5000. The file has "USERNAME:PASSWORD" or a token, and is read again for each login.
	TokenDir string
}

// credentials returns a function with the credentials for one host. The function stores the
// password or token in secret.
func (a Auth) credentials(host string, secret *atomic.Pointer[string]) auth.CredentialFunc {
	return func(_ context.Context, asked string) (auth.Credential, error) {
		if asked != host || a == (Auth{}) {
			return auth.EmptyCredential, nil
		}
		found, err := auth.Credential{Username: a.Username, Password: a.Password}, error(nil)
		if a.TokenDir != "" {
			found, err = readToken(a.TokenDir, host)
		}
		text := cmp.Or(found.Password, found.AccessToken)
		secret.Store(&text)
		return found, err
	}
}

// tokenError is the error about a token file that cannot be used.
type tokenError struct{ err error }

func (e tokenError) Error() string { return e.err.Error() }
func (e tokenError) Unwrap() error { return e.err }

// maxToken is the maximum size of a token file in bytes.
const maxToken = 64 << 10

func readToken(dir, host string) (auth.Credential, error) {
	name := strings.ReplaceAll(host, ":", "_")
	file, err := os.Open(filepath.Join(dir, name)) //nolint:gosec // a host has no slash
	if err != nil {
		return auth.EmptyCredential, tokenError{fmt.Errorf("the token file of the registry cannot be read: %w", err)}
	}
	defer file.Close() //nolint:errcheck // it was only read
	content, err := io.ReadAll(io.LimitReader(file, maxToken+1))
	text := strings.TrimSpace(string(content))
	switch {
	case err != nil:
		return auth.EmptyCredential, tokenError{fmt.Errorf("the token file of the registry cannot be read: %w", err)}
	case text == "" || len(content) > maxToken || strings.ContainsAny(text, "\r\n"):
		return auth.EmptyCredential, tokenError{fmt.Errorf("the token file %s of the registry has no single line with USERNAME:PASSWORD or a token", name)}
	}
	if user, password, isPair := strings.Cut(text, ":"); isPair {
		return auth.Credential{Username: user, Password: password}, nil
	}
	return auth.Credential{AccessToken: text}, nil
}

// dockerConfig is the part of a Docker configuration that has credentials.
type dockerConfig struct {
	Auths map[string]struct {
		Auth     string `json:"auth"`
		Username string `json:"username"`
		Password string `json:"password"`
	} `json:"auths"`
}

// ParseDockerConfig returns the credentials for the registry host in a Docker configuration, as in
// a Secret of type kubernetes.io/dockerconfigjson. Its errors have no content of the configuration.
func ParseDockerConfig(content []byte, host string) (Auth, error) {
	var config dockerConfig
	if err := json.Unmarshal(content, &config); err != nil {
		return Auth{}, errors.New(".dockerconfigjson is not a Docker configuration")
	}
	for key, entry := range config.Auths {
		if registryOf(key) != registryOf(host) {
			continue
		}
		found := Auth{Username: entry.Username, Password: entry.Password}
		if entry.Auth != "" {
			text, err := base64.StdEncoding.DecodeString(entry.Auth)
			user, password, isPair := strings.Cut(string(text), ":")
			if err != nil || !isPair {
				return Auth{}, fmt.Errorf(".dockerconfigjson has no USERNAME:PASSWORD in auth for %s", host)
			}
			found = Auth{Username: user, Password: strings.TrimRight(password, "\x00")}
		}
		if found.Username == "" || found.Password == "" {
			return Auth{}, fmt.Errorf(".dockerconfigjson has no user name and password for %s; credential helpers are not called", host)
		}
		return found, nil
	}
	return Auth{}, fmt.Errorf(".dockerconfigjson has no credentials for %s", host)
}

// registryOf returns the registry in a key of a Docker configuration, in one spelling.
func registryOf(key string) string {
	_, rest, isURL := strings.Cut(key, "://")
	if !isURL {
		rest = key
	}
	host, _, _ := strings.Cut(rest, "/")
	switch host = strings.ToLower(host); host {
	case "index.docker.io", "registry-1.docker.io":
		return "docker.io"
	}
	return host
}
