package kratix

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// DefaultBranch is the branch of a GitStateStore that does not set one.
const DefaultBranch = "main"

// BranchName returns the short name of a branch, or DefaultBranch if spelling is empty.
func BranchName(spelling string) string {
	return cmp.Or(strings.TrimPrefix(spelling, "refs/heads/"), DefaultBranch)
}

// ParseGitURL parses the address of a repository: a URL, an address in git's scp-like syntax, or a
// local path that is absolute or begins with ./ or ../. A local path becomes a file URL. Errors
// contain no password.
func ParseGitURL(raw string) (*url.URL, error) {
	head, _, _ := strings.Cut(raw, "/")
	switch {
	case raw == "":
		return nil, errors.New("no URL")
	case strings.Contains(raw, "://"):
		parsed, err := url.Parse(raw)
		if err != nil {
			return nil, errors.New("the URL cannot be read") // err would contain the URL with its password
		}
		if parsed.Fragment != "" {
			return nil, errors.New("the URL has a #, which begins a fragment: write %23 for a # in the path")
		}
		return parsed, nil
	case head == "" || head == "." || head == "..":
		return &url.URL{Scheme: "file", Path: raw}, nil
	case strings.Contains(head, ":"):
		return parseSCP(raw)
	}
	return nil, withoutScheme(raw)
}

func withoutScheme(raw string) error {
	_, after, hasUser := strings.Cut(raw, "@")
	if hasUser {
		raw = after
	}
	host, rest, hasPath := strings.Cut(raw, "/")
	meant := "./" + raw
	if hasPath && rest != "" && (strings.Contains(host, ".") || hasUser) {
		meant = "https://" + raw
	}
	return fmt.Errorf("the URL %q has no scheme: did you mean %s?", raw, meant)
}

func parseSCP(raw string) (*url.URL, error) {
	parsed, rest := &url.URL{Scheme: "ssh"}, raw
	if user, after, ok := strings.Cut(raw, "@"); ok && !strings.ContainsAny(user, ":/[") {
		parsed.User, rest = url.User(user), after
	}
	host, path, ok := "", "", false
	if inner, bracketed := strings.CutPrefix(rest, "["); bracketed {
		host, path, ok = strings.Cut(inner, "]:")
		if user, after, has := strings.Cut(host, "@"); has && parsed.User == nil {
			parsed.User, host = url.User(user), after
		}
		if strings.Count(host, ":") > 1 {
			host = "[" + host + "]"
		}
	} else {
		host, path, ok = strings.Cut(rest, ":")
	}
	if !ok || host == "" || path == "" || strings.HasPrefix(host, "[[") {
		return nil, errors.New("the URL names no host or no path: write ssh://user@host:port/path")
	}
	parsed.Host, parsed.Path = host, path
	return parsed, nil
}
