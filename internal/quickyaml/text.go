package quickyaml

import (
	"bytes"
	"strings"
)

// isKey reports whether a text is a key that all versions of YAML read as a string.
func isKey(text []byte) bool {
	if len(text) == 0 || !isLetter(text[0]) {
		return false
	}
	for _, c := range text {
		if !isInKey(c) {
			return false
		}
	}
	return !isWord(text)
}

// plainTag returns the tag of a scalar without quotes, or "" if the scalar is not simple.
func plainTag(text []byte) string {
	first := text[0]
	if text[len(text)-1] == ':' || bytes.Contains(text, []byte(": ")) || bytes.Contains(text, []byte(" #")) {
		return ""
	}
	switch {
	case isDigit(first):
		return numberTag(text)
	case first == '/', string(text) == ".":
		return "!!str"
	case !isLetter(first):
		return ""
	}
	switch string(text) {
	case "true", "false":
		return "!!bool"
	case "null":
		return "!!null"
	}
	if isWord(text) {
		return ""
	}
	return "!!str"
}

// numberTag returns the tag of a scalar that begins with a digit, or "" if the scalar is not
// simple.
func numberTag(text []byte) string {
	letters, dots := false, 0
	for _, c := range text {
		switch {
		case c == '.':
			dots++
		case isLetter(c):
			letters = letters || c != 'e' && c != 'E'
		case !isDigit(c) && c != '-' && c != '/':
			return ""
		}
	}
	isDate := len(text) > 4 && text[4] == '-'
	hasBase := text[0] == '0' && len(text) > 1 && bytes.IndexByte([]byte("xXoObB"), text[1]) >= 0
	switch {
	case isDate, hasBase:
		return ""
	case letters, dots > 1:
		return "!!str"
	case isInteger(text):
		return "!!int"
	}
	return ""
}

func isInteger(text []byte) bool {
	return len(text) <= 18 && len(bytes.Trim(text, "0123456789")) == 0 && (text[0] != '0' || len(text) == 1)
}

// isWord reports whether a word is a boolean or null in some version of YAML.
func isWord(text []byte) bool {
	if len(text) > len("false") {
		return false
	}
	switch strings.ToLower(string(text)) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return true
	}
	return false
}

func isInKey(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '.' || c == '_' || c == '/' || c == '-'
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// keyText returns a key as a string. It does not allocate for common keys.
func keyText(key []byte) string {
	switch string(key) {
	case "apiVersion":
		return "apiVersion"
	case "kind":
		return "kind"
	case "metadata":
		return "metadata"
	case "name":
		return "name"
	case "namespace":
		return "namespace"
	case "labels":
		return "labels"
	case "annotations":
		return "annotations"
	case "spec":
		return "spec"
	case "data":
		return "data"
	case "content":
		return "content"
	case "filepath":
		return "filepath"
	}
	return string(key)
}
