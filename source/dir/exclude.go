package dir

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// Exclusion is a pattern of paths in input directories that are not read. Each element is matched
// as by path.Match; ** matches any number of elements. A pattern of one element matches at any
// depth, unless it begins with / or ./.
type Exclusion struct{ elements []string }

// ErrExclusion is the error of an invalid pattern.
var ErrExclusion = errors.New("invalid pattern")

// ParseExclusion parses a pattern. Its errors wrap ErrExclusion.
func ParseExclusion(pattern string) (Exclusion, error) {
	below := strings.TrimPrefix(pattern, "./")
	clean := strings.Trim(below, "/")
	if clean == "" {
		return Exclusion{}, fmt.Errorf("%w %q: it matches nothing; name a file or directory below the input", ErrExclusion, pattern)
	}
	elements := strings.Split(clean, "/")
	for _, element := range elements {
		if _, err := path.Match(element, ""); err != nil {
			return Exclusion{}, fmt.Errorf("%w %q: a bracket is not closed, or a backslash ends it", ErrExclusion, pattern)
		}
		if element == ".." || element == "." || element == "" {
			return Exclusion{}, fmt.Errorf("%w %q: write a path below the input, without . and .. in it", ErrExclusion, pattern)
		}
	}
	anchored := below != pattern || strings.HasPrefix(pattern, "/")
	if len(elements) == 1 && !anchored {
		elements = append([]string{"**"}, elements...)
	}
	return Exclusion{elements}, nil
}

// matches reports whether the pattern matches a path, or one of its parent directories. The path is
// relative to an input.
func (e Exclusion) matches(below string) bool {
	steps := strings.Split(below, "/")
	for n := 1; n <= len(steps); n++ {
		if matchElements(e.elements, steps[:n]) {
			return true
		}
	}
	return false
}

func matchElements(pattern, steps []string) bool {
	switch {
	case len(pattern) == 0:
		return len(steps) == 0
	case pattern[0] == "**":
		return matchElements(pattern[1:], steps) || len(steps) > 0 && matchElements(pattern, steps[1:])
	case len(steps) == 0:
		return false
	}
	ok, _ := path.Match(pattern[0], steps[0]) // ParseExclusion has checked the pattern
	return ok && matchElements(pattern[1:], steps[1:])
}

// excludes reports whether Exclude matches the path name in the input directory given.
func (s *Source) excludes(given, name string) bool {
	if len(s.Exclude) == 0 {
		return false
	}
	below, err := filepath.Rel(given, name)
	if err != nil || below == "." {
		return false
	}
	for _, exclusion := range s.Exclude {
		if exclusion.matches(filepath.ToSlash(below)) {
			return true
		}
	}
	return false
}

func (s *Source) excludesEverywhere(name string) bool {
	found := false
	for _, given := range s.Paths {
		if _, inside := below(given, name); !inside {
			continue
		}
		if !s.excludes(given, name) {
			return false
		}
		found = true
	}
	return found
}
