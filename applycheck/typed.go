package applycheck

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// undeclared is the end of the API server's message about a field that a type does not have.
const undeclared = ": field not declared in schema"

const maxRuns = 100

// typedErrors returns the sorted errors of server-side apply's typed check. It repeats the check
// without undeclared fields, because the check stops at them.
func typedErrors(typ typed.ParseableType, fields map[string]any) typed.ValidationErrors {
	found := typedRun(typ, fields)
	if !slices.ContainsFunc(found, isUndeclared) {
		return found
	}
	all := map[string]typed.ValidationError{}
	rest := runtime.DeepCopyJSON(fields)
	for range maxRuns {
		removed := false
		for _, e := range found {
			all[e.Error()] = e
			removed = isUndeclared(e) && remove(rest, e.Path) || removed
		}
		if !removed {
			break
		}
		found = typedRun(typ, rest)
	}
	found = make(typed.ValidationErrors, 0, len(all))
	for _, text := range slices.Sorted(maps.Keys(all)) {
		found = append(found, all[text])
	}
	return found
}

func typedRun(typ typed.ParseableType, fields map[string]any) typed.ValidationErrors {
	_, err := typ.FromUnstructured(fields)
	var found typed.ValidationErrors
	if err != nil && !errors.As(err, &found) {
		found = typed.ValidationErrors{{ErrorMessage: err.Error()}}
	}
	slices.SortStableFunc(found, func(a, b typed.ValidationError) int { return strings.Compare(a.Error(), b.Error()) })
	return found
}

func isUndeclared(e typed.ValidationError) bool { return strings.HasSuffix(e.Error(), undeclared) }

func checkTyped(o *objectFacts, content *kustomize.Content, typ typed.ParseableType, sent sentObject) []fault {
	found := typedErrors(typ, sent.fields)
	switch {
	case sent.err != nil && len(found) == 0 && !hasVariable(sent.fields):
		f := undecodable(o, o.line, sent.err)
		f.versioned = true
		return []fault{f}
	case !sent.typed || len(found) == 0:
		return schemaFaults(o, content, found)
	}
	// Flux sends the object without the fields that its Go type does not have.
	faults := schemaFaults(o, content, typedErrors(typ, sent.applied))
	for _, e := range found {
		if isUndeclared(e) {
			faults = append(faults, droppedField(o, content, e))
		}
	}
	return faults
}

func droppedField(o *objectFacts, content *kustomize.Content, e typed.ValidationError) fault {
	f := newFault(finding.DroppedField(), o, lineOf(content, e.Path), e.Error()+"; Flux applies the object without it")
	f.words = strings.TrimPrefix(f.words, ".")
	return f
}

func schemaFaults(o *objectFacts, content *kustomize.Content, found typed.ValidationErrors) []fault {
	faults := make([]fault, 0, len(found))
	for _, e := range found {
		if len(faults) == maxFaults {
			break
		}
		if value, there := valueAt(content.Fields, e.Path); there && hasVariable(value) && !isUndeclared(e) {
			continue
		}
		f := newFault(finding.InvalidField(), o, lineOf(content, e.Path), e.Error())
		f.versioned = true
		f.quoted = printable(fmt.Sprintf("%s dry-run failed: failed to create typed patch object (%s/%s; %s): %s",
			o.flux(), o.namespace, o.name, o.GroupVersionKind, found))
		faults = append(faults, f)
	}
	return faults
}
