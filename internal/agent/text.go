package agent

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of the other texts of an Event, in bytes.
const (
	maxName     = 253
	maxRevision = 256
	maxFile     = 4096
)

var errMalformed = errors.New("not an event")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errMalformed, fmt.Sprintf(format, args...))
}

// cleanMessage returns a message as valid UTF-8 of at most MaxMessage bytes. It replaces control
// characters except line breaks and tabs.
func cleanMessage(text string) string {
	const ellipsis = "…"
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return utf8.RuneError
		}
		return r
	}, strings.TrimSpace(text))
	if len(text) <= MaxMessage {
		return text
	}
	end := MaxMessage - len(ellipsis)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}

func isName(text string) bool {
	return text != "" && len(text) <= maxName && strings.IndexFunc(text, func(r rune) bool {
		return !(r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z')
	}) < 0
}

// cleanRevision returns a revision without the branch, or "" if it is invalid.
func cleanRevision(text string) string {
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		text = text[at+1:]
		_, text, _ = strings.Cut(text, ":")
	}
	text = strings.TrimPrefix(text, "sha1:")
	if len(text) > maxRevision || strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r >= unicode.MaxASCII }) >= 0 {
		return ""
	}
	return text
}

func sortedObjects(objects []Object) []Object {
	slices.SortFunc(objects, func(a, b Object) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	objects = slices.Compact(objects)
	return slices.Clip(objects[:min(len(objects), MaxObjects)])
}
