package git

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"text/template"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Trailers are templates for trailers of commit messages. The zero value and nil are empty.
type Trailers struct{ all []trailerTemplate }

type trailerTemplate struct {
	key   string
	value *template.Template
}

// trailerKey matches the keys that git accepts in trailers.
var trailerKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`)

const ownKeys = "kratix-"

// ParseTrailers parses texts of the form "Key: template". The data of a template is a Placement. A
// trailer without a value is left out.
func ParseTrailers(texts []string) (*Trailers, error) {
	parsed := &Trailers{}
	for _, text := range texts {
		key, value, found := strings.Cut(text, ":")
		switch {
		case !found || !trailerKey.MatchString(key):
			return nil, fmt.Errorf(`%q: write it as "Key: template", with letters, digits and hyphens in the key`, text)
		case strings.HasPrefix(strings.ToLower(key), ownKeys):
			return nil, fmt.Errorf("%q: keys that begin with Kratix- are for the program's own trailers", text)
		}
		one, err := template.New("trailer").Option("missingkey=error").Parse(strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		made := trailerTemplate{key, one}
		if _, err := made.of(newPlacement(example())); err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		parsed.all = append(parsed.all, made)
	}
	return parsed, nil
}

func example() statestore.PlacementChange {
	return statestore.PlacementChange{
		Action: statestore.Place, Work: "default/example", Destination: "worker-1", Promise: "example", Resource: "default/example",
	}
}

func (t trailerTemplate) of(p Placement) (string, error) {
	var text strings.Builder
	err := t.value.Execute(&text, p)
	return oneLine(strings.TrimSpace(text.String())), err
}

// of returns the trailers of a commit. It omits values whose template fails, and returns the first
// error.
func (t *Trailers) of(placements []Placement) (string, error) {
	if t == nil {
		return "", nil
	}
	var text strings.Builder
	var failed error
	for _, one := range t.all {
		seen := map[string]bool{"": true}
		for _, p := range placements {
			value, err := one.of(p)
			failed = cmp.Or(failed, err)
			if err != nil || seen[value] {
				continue
			}
			if seen[value] = true; len(seen) > mostNamed+1 {
				break
			}
			text.WriteString(one.key + ": " + value + "\n")
		}
	}
	return text.String(), failed
}
