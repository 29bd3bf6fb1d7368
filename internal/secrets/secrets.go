// Package secrets finds what concerns Secrets of Kubernetes.
package secrets

import (
	"regexp"
	"strings"
)

// Kind is the kind of Secrets.
const Kind = "Secret"

// MaySelect reports whether a selector of kustomize may select a Secret. Its group
// and kind are expressions that match a whole name; an empty one matches all.
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
