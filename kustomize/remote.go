package kustomize

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/tree"
)

// ErrRemote is a kustomization that would have kustomize fetch something, which
// it is not allowed to here. Flux may well build it.
var ErrRemote = errors.New("it loads something from outside the store, which is not followed")

// remote finds what kustomize might take for the address of something that is
// not in the tree. It errs on the side of yes.
var remote = regexp.MustCompile(`(?i)://|^git::|^gh:|github\.com|@|\.git(/|$|\?)|_git/|\?ref=`)

// loadsOnlyFiles refuses kustomizations that name anything outside the tree.
func loadsOnlyFiles(files []tree.File) error {
	configured := false
	for _, file := range files {
		if !IsKustomization(file.Path) {
			continue
		}
		var fields map[string]any
		if yaml.Unmarshal(file.Content, &fields) != nil {
			continue // kustomize says why it cannot be read
		}
		if found := findRemote(fields); found != "" {
			return fmt.Errorf("%w: %s names %s", ErrRemote, file.Path, found)
		}
		for _, field := range []string{"generators", "transformers", "validators", "helmCharts", "helmChartInflationGenerator"} {
			configured = configured || fields[field] != nil
		}
	}
	if !configured {
		return nil
	}
	// What configures a transformer can name files to load as well.
	for _, file := range files {
		if Loads(file.Path) && remote.Match(file.Content) {
			return fmt.Errorf("%w: %s, which may configure a transformer, names an address", ErrRemote, file.Path)
		}
	}
	return nil
}

// harmless are fields of a kustomization whose text is never loaded.
func harmless(field string) bool {
	switch field {
	case "commonAnnotations", "commonLabels", "labels", "images", "literals", "patch", "metadata", "target", "inline":
		return true
	}
	return false
}

// findRemote gives the first text in a kustomization that may be an address.
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
