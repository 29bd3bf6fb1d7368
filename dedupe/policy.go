package dedupe

import (
	"fmt"
	"strings"
)

// Policy is the action for a conflict.
type Policy string

// The values of Policy.
const (
	// Quarantine keeps the later of two conflicting placements out of the store.
	Quarantine Policy = "quarantine"
	// Share writes an object that several placements ask for once if all their copies have the same
	// content; otherwise it acts like Quarantine.
	Share Policy = "share"
	// Report writes placements in spite of duplicate objects and build failures, and reports these
	// as findings.
	Report Policy = "report"
)

// Policies returns all policies, the default first.
func Policies() []Policy { return []Policy{Quarantine, Share, Report} }

// ParsePolicy parses the name of a policy. The error lists the valid names.
func ParsePolicy(name string) (Policy, error) {
	var names []string
	for _, policy := range Policies() {
		if name == string(policy) {
			return policy, nil
		}
		names = append(names, string(policy))
	}
	return "", fmt.Errorf("%q is not a policy for conflicts; use one of %s", name, strings.Join(names, ", "))
}
