package applycheck

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// changeFaults returns the faults of the changes from the stored objects to those of a wanted file.
// It skips objects with an error in own, the faults of the file.
func (c *check) changeFaults(r *rootFiles, claim *claimFiles, file *checkedFile, own []fault) []fault {
	if len(claim.stored) == 0 || slices.ContainsFunc(claim.stored, func(s *checkedFile) bool { return s.facts.digest == file.facts.digest }) {
		return nil // the claim is new, or the file is unchanged
	}
	before := c.storedObjects(r, claim, file)
	if len(before) == 0 {
		return nil
	}
	var faults []fault
	c.contentOf(r.root.Cache, file.Content, func(o *objectFacts, content *kustomize.Content) {
		old, there := before[o.identity()]
		if !there || !o.applied || o.force || o.onlyCreated {
			return
		}
		if slices.ContainsFunc(own, func(f fault) bool { return f.object == o.String() && f.isError(c.Cluster) }) {
			return
		}
		faults = append(faults, c.objectChanges(o, content, old)...)
	})
	return faults
}

// storedObjects returns the stored forms of the objects of a file, without those that the API
// server refuses.
func (c *check) storedObjects(r *rootFiles, claim *claimFiles, file *checkedFile) map[identity]map[string]any {
	wanted := map[identity]bool{}
	for i := range file.facts.objects {
		wanted[file.facts.objects[i].identity()] = true
	}
	found := map[identity]map[string]any{}
	for _, stored := range claim.stored {
		if !slices.ContainsFunc(stored.facts.objects, func(o objectFacts) bool { return wanted[o.identity()] }) {
			continue
		}
		refused := c.faultsOf(r, stored)
		c.contentOf(r.root.Cache, stored.Content, func(o *objectFacts, content *kustomize.Content) {
			if !wanted[o.identity()] || !o.applied || o.force {
				return
			}
			// A refused object is not in the cluster.
			if !slices.ContainsFunc(refused, func(f fault) bool { return f.object == o.String() && f.isError(c.Cluster) }) {
				found[o.identity()] = content.Fields
			}
		})
	}
	return found
}

func (c *check) objectChanges(o *objectFacts, content *kustomize.Content, old map[string]any) []fault {
	if sources := c.definitions[o.GroupKind()]; len(sources) > 0 {
		return c.customChanges(o, content, old, sources)
	}
	var found field.ErrorList
	fields := c.applied(o, content.Fields)
	old = c.applied(o, old)
	for _, rule := range immutableFields()[o.Group+"/"+o.Kind] {
		if err := rule.compare(fields, old); err != nil {
			found = append(found, err)
		}
	}
	if compare := changeRules()[o.Group+"/"+o.Kind]; compare != nil {
		found = append(found, compare(fields, old)...)
	}
	var faults []fault
	for _, err := range found {
		if len(faults) < maxFaults {
			faults = append(faults, invalid(finding.ImmutableField(), o, lineOf(content, err.Field), err))
		}
	}
	return faults
}

// customChanges returns the faults that a change of a custom resource has under each of its
// definitions.
func (c *check) customChanges(o *objectFacts, content *kustomize.Content, old map[string]any, sources []*source) []fault {
	if hasVariable(old) || fmt.Sprint(old["apiVersion"]) != fmt.Sprint(content.Fields["apiVersion"]) {
		return nil
	}
	var faults []fault
	for i, s := range sources {
		typ := c.customType(s, o.Version)
		if typ == nil {
			return nil
		}
		found := typ.faults(o, content, sentFields(o.GroupVersionKind, old))
		for j := range found {
			found[j].rule = finding.ImmutableField()
		}
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

type immutableField struct {
	path   []string
	absent any
	// words is the API server's message. If it is empty, the message is "field is immutable".
	words string
	// exact means that no part of the value has a default. whole means that only the fields in
	// defaultedFields may have a default.
	exact, whole bool
	// forbidden means that the API server's message is "Forbidden" and not "Invalid value".
	forbidden bool
}

func (f immutableField) compare(fields, old map[string]any) *field.Error {
	now, before := anyAt(fields, f.path...), anyAt(old, f.path...)
	if hasVariable(now) || hasVariable(before) {
		return nil
	}
	if isEmpty(now) {
		now = f.absent
	}
	if isEmpty(before) {
		before = f.absent
	}
	if !f.changes(now, before) {
		return nil
	}
	words := f.words
	if words == "" {
		words = "field is immutable"
	}
	at := field.NewPath(f.path[0], f.path[1:]...)
	if f.forbidden {
		return field.Forbidden(at, words)
	}
	return field.Invalid(at, now, words)
}

func (f immutableField) changes(now, before any) bool {
	switch {
	case f.whole:
		return differs(f.path[len(f.path)-1], now, before)
	case f.exact:
		return now != nil && before != nil && !equal(now, before)
	}
	return conflicts(now, before)
}

// isEmpty reports whether the API server treats a value as missing.
func isEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// conflicts reports whether two values certainly differ for the API server. A missing value may be
// a default, unless the other value contains a list.
func conflicts(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, isMap := b.(map[string]any)
		if !isMap {
			return !isEmpty(a) && !isEmpty(b) || hasList(a)
		}
		return mapsConflict(x, y)
	case []any:
		y, _ := b.([]any)
		return !slices.EqualFunc(x, y, func(a, b any) bool { return !conflicts(a, b) })
	case nil:
		return hasList(b)
	}
	return b != nil && !sameScalar(a, b)
}

func mapsConflict(a, b map[string]any) bool {
	for key, value := range a {
		if conflicts(value, b[key]) {
			return true
		}
	}
	for key, value := range b {
		if _, both := a[key]; !both && hasList(value) {
			return true
		}
	}
	return false
}

// equal reports whether two values are equal. An empty value equals a missing one.
func equal(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, isMap := b.(map[string]any)
		if !isMap {
			return isEmpty(a) && isEmpty(b)
		}
		for key, value := range x {
			if _, both := y[key]; !both && !isEmpty(value) || both && !equal(value, y[key]) {
				return false
			}
		}
		for key, value := range y {
			if _, both := x[key]; !both && !isEmpty(value) {
				return false
			}
		}
		return true
	case []any:
		y, _ := b.([]any)
		return slices.EqualFunc(x, y, equal)
	}
	return isEmpty(a) && isEmpty(b) || a == b
}

func hasList(value any) bool {
	switch v := value.(type) {
	case []any:
		return len(v) > 0
	case map[string]any:
		for _, field := range v {
			if hasList(field) {
				return true
			}
		}
	}
	return false
}

// sameScalar reports whether two scalars are equal, or are notations of the same quantity.
func sameScalar(a, b any) bool {
	if a == b {
		return true
	}
	x, err := resource.ParseQuantity(fmt.Sprint(a))
	if err != nil {
		return false
	}
	y, err := resource.ParseQuantity(fmt.Sprint(b))
	return err == nil && x.Cmp(y) == 0
}
