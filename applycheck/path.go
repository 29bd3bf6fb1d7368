package applycheck

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// lineOf returns the line of a field. path has the form of the API server's messages, such as
// `.spec.containers[name="c"].image` or `spec.ports[0].name`.
func lineOf(content *kustomize.Content, path string) int {
	elements, _, _ := resolve(content.Fields, path)
	return content.LineOf(elements...)
}

// valueAt returns the value of a field, and reports whether the field exists. path has the same
// form as for lineOf.
func valueAt(fields map[string]any, path string) (any, bool) {
	_, value, there := resolve(fields, path)
	return value, there
}

// resolve follows a path as far as possible. It returns the keys and indices that it followed and
// the value that it reached, and reports whether it followed the whole path.
func resolve(fields map[string]any, path string) (elements []any, value any, complete bool) {
	value = fields
	rest := splitPath(path)
	for len(rest) > 0 {
		switch at := value.(type) {
		case map[string]any:
			key, n := keyOf(at, rest)
			if n == 0 {
				return elements, value, false
			}
			elements, value, rest = append(elements, key), at[key], rest[n:]
		case []any:
			i := indexOf(at, rest[0])
			if i < 0 {
				return elements, value, false
			}
			elements, value, rest = append(elements, i), at[i], rest[1:]
		default:
			return elements, value, false
		}
	}
	return elements, value, true
}

// keyOf returns the map key at the start of a path, and the number of path elements that form it. A
// key may contain dots. The number is 0 if the map has no such key.
func keyOf(fields map[string]any, path []string) (key string, n int) {
	for n := range path {
		key := strings.Join(path[:n+1], ".")
		if _, there := fields[key]; there {
			return key, n + 1
		}
	}
	return "", 0
}

func remove(fields map[string]any, path string) bool {
	elements, _, complete := resolve(fields, path)
	if !complete || len(elements) == 0 {
		return false
	}
	var parent any = fields
	for _, element := range elements[:len(elements)-1] {
		switch at := parent.(type) {
		case map[string]any:
			name, _ := element.(string)
			parent = at[name]
		case []any:
			i, _ := element.(int)
			parent = at[i]
		}
	}
	name, isName := elements[len(elements)-1].(string)
	at, isMap := parent.(map[string]any)
	if isName && isMap {
		delete(at, name)
	}
	return isName && isMap
}

// splitPath splits a path at the dots and brackets outside of quotes.
func splitPath(path string) []string {
	var elements []string
	start, bracket, quoted := 0, false, false
	end := func(i int) {
		if i > start {
			elements = append(elements, path[start:i])
		}
		start = i + 1
	}
	for i := range len(path) {
		switch c := path[i]; {
		case c == '"' && (i == 0 || path[i-1] != '\\'):
			quoted = !quoted
		case quoted:
		case c == '[' && !bracket:
			end(i)
			bracket = true
		case c == ']' && bracket:
			end(i)
			bracket = false
		case c == '.' && !bracket:
			end(i)
		}
	}
	end(len(path))
	return elements
}

// indexOf returns the position of a list item, or -1 if there is no such item. element is the
// item's index, its keys (`containerPort=80,protocol="TCP"`) or its value (`="x"`).
func indexOf(list []any, element string) int {
	if i, err := strconv.Atoi(element); err == nil {
		if i < len(list) {
			return i
		}
		return -1
	}
	for i, item := range list {
		if matches(item, element) {
			return i
		}
	}
	return -1
}

func matches(item any, element string) bool {
	fields, isMap := item.(map[string]any)
	if !isMap {
		return element == "="+printed(item)
	}
	for pair := range strings.SplitSeq(element, ",") {
		key, want, ok := strings.Cut(pair, "=")
		value, there := fields[key]
		// the value of a missing key may be its default
		if !ok || there && printed(value) != want {
			return false
		}
	}
	return true
}

func printed(value any) string {
	if text, ok := value.(string); ok {
		return strconv.Quote(text)
	}
	return fmt.Sprint(value)
}
