package applycheck

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// customFaults returns the faults that a custom resource has under each of its definitions.
func (c *check) customFaults(o *objectFacts, content *kustomize.Content) []fault {
	var faults []fault
	for i, s := range c.definitions[o.GroupKind()] {
		typ := c.customType(s, o.Version)
		if typ == nil {
			return nil
		}
		found := typ.faults(o, content, nil)
		if i == 0 {
			faults = found
			continue
		}
		faults = slices.DeleteFunc(faults, func(f fault) bool {
			return !slices.ContainsFunc(found, func(other fault) bool { return other.words == f.words })
		})
	}
	return faults
}

// faults returns the faults of a custom resource. If old is not nil, they include the faults of the
// change from old.
func (t *customType) faults(o *objectFacts, content *kustomize.Content, old map[string]any) []fault {
	fields := sentFields(o.GroupVersionKind, content.Fields)
	if found := t.typedErrors(fields); len(found) > 0 {
		faults := schemaFaults(o, content, found)
		for i := range faults {
			faults[i].versioned = false // the definition does not depend on the version of Kubernetes
		}
		return faults
	}
	var faults []fault
	for _, err := range t.errors(fields, old, !hasVariable(fields)) {
		if hasVariable(err.BadValue) || len(faults) == maxFaults {
			continue
		}
		if value, there := valueAt(fields, err.Field); there && hasVariable(value) {
			continue
		}
		f := invalid(finding.InvalidField(), o, lineOf(content, err.Field), err)
		f.ratcheted = true
		faults = append(faults, f)
	}
	return faults
}
