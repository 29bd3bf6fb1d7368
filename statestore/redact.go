package statestore

import (
	"regexp"
	"strings"
	"unicode"
)

const hiddenPart = "***"

var urls = regexp.MustCompile("[A-Za-z][A-Za-z0-9+.-]*://[^\\s\"'`<>]+")

// RedactURLs returns the text with the user, password, query and fragment of every URL redacted.
// Each of them may be a credential. A query that git itself adds remains.
func RedactURLs(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	return urls.ReplaceAllStringFunc(text, redactURL)
}

// redactURL redacts one URL. It does not use net/url, which cannot parse the URLs that many errors
// are about.
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
		// The text after the colon is not a port. It is a password, or the beginning of a password
		// that contains a slash.
		if i := strings.LastIndexByte(rest, '@'); i >= 0 {
			return scheme + "://" + hiddenPart + rest[i:] + tail
		}
		return scheme + "://" + hiddenPart
	}
	return scheme + "://" + host + path + tail
}

// isGitService reports whether git itself adds this query to URLs.
func isGitService(query string) bool {
	query = strings.TrimRight(query, ":,.;)")
	return query == "?service=git-upload-pack" || query == "?service=git-receive-pack"
}

func trailing(url string) string { return url[len(strings.TrimRight(url, ":,.;)")):] }

// maxMessage is the maximum number of bytes of a server's message that an error contains.
const maxMessage = 1 << 10

// OneLine returns the text of a server in one line. It removes control characters, the passwords in
// URLs and the secret, which may be empty, and truncates the text to about 1 KiB.
func OneLine(text, secret string) string {
	if secret != "" {
		text = strings.ReplaceAll(text, secret, "***")
	}
	text = strings.Join(strings.FieldsFunc(RedactURLs(text), unicode.IsControl), " ")
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "..."
	}
	return text
}
