package statestore

import (
	"regexp"
	"strings"
	"unicode"
)

const hiddenPart = "***"

var urls = regexp.MustCompile("[A-Za-z][A-Za-z0-9+.-]*://[^\\s\"'`<>]+")

// RedactURLs redacts the user, password, query and fragment of URLs in a text, because they may be
// secret.
func RedactURLs(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	return urls.ReplaceAllStringFunc(text, redactURL)
}

// redactURL redacts one URL. net/url cannot parse some of the URLs in errors.
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

// maxMessage is the maximum length in bytes of a server's message in an error.
const maxMessage = 1 << 10

// OneLine returns a text from a server as one line of about 1 KiB at most, without the secret and
// without credentials in URLs. secret may be empty.
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
