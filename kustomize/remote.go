package kustomize

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/yaml"
)

// ErrRemote is the error of a kustomization that may make kustomize load something from outside the
// store. Flux may be able to build it.
var ErrRemote = errors.New("it loads something from outside the store, which is not followed")

// remote matches texts that kustomize might treat as a URL or as the address of a git repository.
var remote = regexp.MustCompile(`(?i)://|^git::|^gh:|github\.com|@|\.git(/|$|\?)|_git/|\?ref=`)

type guard struct {
	// configured means that kustomize has read a kustomization with configuration files that may
	// name addresses.
	configured bool
	refused    error
}

// allow returns an error if kustomize must not read a file. After the first error, it returns an
// error for each file.
func (g *guard) allow(name string, content []byte) error {
	switch base := path.Base(name); {
	case slices.Contains(konfig.RecognizedKustomizationFileNames(), base):
		g.kustomization(name, content)
	case g.configured && remote.Match(content):
		g.refused = fmt.Errorf("%w: %s, which may configure a transformer, names an address", ErrRemote, name)
	}
	return g.refused
}

func (g *guard) kustomization(name string, content []byte) {
	var fields map[string]any
	if yaml.Unmarshal(content, &fields) != nil {
		return // kustomize itself reports why the file cannot be parsed
	}
	if found := findRemote(fields); found != "" {
		g.refused = fmt.Errorf("%w: %s names %s", ErrRemote, name, found)
	}
	for _, field := range []string{"generators", "transformers", "validators", "helmCharts", "helmChartInflationGenerator"} {
		g.configured = g.configured || fields[field] != nil
	}
}

// harmless reports whether kustomize never loads from an address in this field of a kustomization.
func harmless(field string) bool {
	switch field {
	case "commonAnnotations", "commonLabels", "labels", "images", "literals", "patch", "metadata", "target", "inline":
		return true
	}
	return false
}

// findRemote returns a text in the value that may be an address, or "" if there is none.
func findRemote(value any) string {
	switch v := value.(type) {
	case string:
		if remote.MatchString(v) {
			return strings.TrimSpace(v)
		}
	case []any:
		for _, item := range v {
			if found := findRemote(item); found != "" {
				return found
			}
		}
	case map[string]any:
		for field, item := range v {
			if harmless(field) {
				continue
			}
			if found := findRemote(item); found != "" {
				return found
			}
		}
	}
	return ""
}
