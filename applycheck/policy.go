package applycheck

import (
	"fmt"
	"strings"
)

// Policy is the action for an object that the API server would refuse.
type Policy string

// The values of Policy.
const (
	// Quarantine keeps a placement with such an object out of the store if the refusal is certain.
	Quarantine Policy = "quarantine"
	// Warn reports warnings, and keeps no placement out of the store.
	Warn Policy = "warn"
	// Off checks nothing.
	Off Policy = "off"
)

// Policies returns all policies, the strictest first.
func Policies() []Policy { return []Policy{Quarantine, Warn, Off} }

// ParsePolicy parses the name of a policy. The error lists the valid names.
func ParsePolicy(name string) (Policy, error) {
	var names []string
	for _, policy := range Policies() {
		if name == string(policy) {
			return policy, nil
		}
		names = append(names, string(policy))
	}
	return "", fmt.Errorf("%q is not a policy for objects that would be refused; use one of %s", name, strings.Join(names, ", "))
}
