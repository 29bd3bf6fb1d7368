package applycheck

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
)

func (c *Cluster) served(gvk schema.GroupVersionKind) (profile.ServedKind, bool) {
	if c.profile == nil {
		return profile.ServedKind{}, false
	}
	return c.profile.Served(gvk)
}

func (c *Cluster) hasNamespace(name string) bool {
	return c.profile != nil && c.profile.HasNamespace(name)
}

func (c *Cluster) profileWords() string {
	return "the profile of the cluster, taken on " + c.profile.Taken.UTC().Format(time.DateOnly) + ","
}

// unreadWords returns a note for a message about a kind if the profile does not list the kind's
// group, and "" otherwise.
func (c *Cluster) unreadWords(group string) string {
	if c.profile == nil || c.profile.Lists(group) {
		return ""
	}
	return fmt.Sprintf("; but when it was taken the API server could not list the group %s", group)
}
