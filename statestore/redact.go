package statestore

import (
	"regexp"
	"strings"
)

// hiddenPart stands for what is not printed of a URL.
const hiddenPart = "***"

var urls = regexp.MustCompile("[A-Za-z][A-Za-z0-9+.-]*://[^\\s\"'`<>]+")

// RedactURLs returns text in which no URL has a user, a password, a query or a
// fragment: all of them may be credentials.
func RedactURLs(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	return urls.ReplaceAllStringFunc(text, redactURL)
}

// redactURL also handles what net/url cannot parse, since that is what errors are
// about.
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
		// That is no port: a password with a slash in it, or the start of one.
		if i := strings.LastIndexByte(rest, '@'); i >= 0 {
			return scheme + "://" + hiddenPart + rest[i:] + tail
		}
		return scheme + "://" + hiddenPart
	}
	return scheme + "://" + host + path + tail
}

// isGitService reports whether a query is the one that git itself makes.
func isGitService(query string) bool {
	query = strings.TrimRight(query, ":,.;)")
	return query == "?service=git-upload-pack" || query == "?service=git-receive-pack"
}

// trailing returns the punctuation of the sentence that a URL ends.
func trailing(url string) string { return url[len(strings.TrimRight(url, ":,.;)")):] }
