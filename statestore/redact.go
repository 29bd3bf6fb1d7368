package statestore

import (
	"regexp"
	"strings"
)

// hiddenPart replaces the redacted parts of a URL.
const hiddenPart = "***"

var urls = regexp.MustCompile("[A-Za-z][A-Za-z0-9+.-]*://[^\\s\"'`<>]+")

// RedactURLs returns text with the user, password, query and fragment of every URL redacted: each
// of them may contain credentials.
func RedactURLs(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	return urls.ReplaceAllStringFunc(text, redactURL)
}

// redactURL redacts one URL. It also handles URLs that net/url cannot parse, since errors
// are often about such URLs.
func redactURL(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	tail := ""
	if i := strings.IndexAny(rest, "?#"); i >= 0 && !isGitService(rest[i:]) {
		end := trailing(rest[i+1:])
		if len(end) < len(rest[i+1:]) {
			end = hiddenPart + end
		}
		rest, tail = rest[:i], rest[i:i+1]+end
	}
	host, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		return scheme + "://" + hiddenPart + host[i:] + path + tail
	}
	if _, port, found := strings.Cut(host[strings.LastIndexByte(host, ']')+1:], ":"); found && strings.Trim(port, "0123456789:,.;)") != "" {
		// This is not a port but a password, or its beginning if the password contains a slash.
		if i := strings.LastIndexByte(rest, '@'); i >= 0 {
			return scheme + "://" + hiddenPart + rest[i:] + tail
		}
		return scheme + "://" + hiddenPart
	}
	return scheme + "://" + host + path + tail
}

// isGitService reports whether query is one that git itself adds to a URL.
func isGitService(query string) bool {
	query = strings.TrimRight(query, ":,.;)")
	return query == "?service=git-upload-pack" || query == "?service=git-receive-pack"
}

// trailing returns the punctuation after a URL that ends a sentence.
func trailing(url string) string { return url[len(strings.TrimRight(url, ":,.;)")):] }
