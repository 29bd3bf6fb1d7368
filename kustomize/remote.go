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

// ErrRemote is a kustomization that would have kustomize fetch something, which
// it is not allowed to here. Flux may well build it.
var ErrRemote = errors.New("it loads something from outside the store, which is not followed")

// remote finds what kustomize might take for the address of something that is
// not in the tree. It errs on the side of yes.
var remote = regexp.MustCompile(`(?i)://|^git::|^gh:|github\.com|@|\.git(/|$|\?)|_git/|\?ref=`)

// guard refuses kustomizations that name anything outside the tree, when
// kustomize is about to read them.
type guard struct {
	// configured means that something was read that may configure a
	// transformer, and that can name files to load as well.
	configured bool
	refused    error
}

// allow says why kustomize may not read a file.
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
		return // kustomize says why it cannot be read
	}
	if found := findRemote(fields); found != "" {
		g.refused = fmt.Errorf("%w: %s names %s", ErrRemote, name, found)
	}
	for _, field := range []string{"generators", "transformers", "validators", "helmCharts", "helmChartInflationGenerator"} {
		g.configured = g.configured || fields[field] != nil
	}
}

// harmless are fields of a kustomization whose text is never loaded.
func harmless(field string) bool {
	switch field {
	case "commonAnnotations", "commonLabels", "labels", "images", "literals", "patch", "metadata", "target", "inline":
		return true
	}
	return false
}

// findRemote returns the first text in a kustomization that may be an address.
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
