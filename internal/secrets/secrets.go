// Package secrets determines whether the selectors of kustomize patches select Kubernetes Secrets.
// It does no I/O.
package secrets

import (
	"regexp"
	"strings"
)

// Kind is the kind of a Secret.
const Kind = "Secret"

// MaySelect reports whether a kustomize selector may select a Secret. group and kind are regular
// expressions that must match the whole name; an empty one matches everything.
func MaySelect(group, kind string) bool {
	return matches(group, "") && (matches(kind, Kind) || strings.EqualFold(kind, Kind))
}

func matches(expression, name string) bool {
	if expression == "" {
		return true
	}
	found, err := regexp.MatchString("^(?:"+expression+")$", name)
	return err == nil && found
}
