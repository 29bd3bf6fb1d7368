package writers

import (
	"maps"
	"slices"
)

// The keys of a status that are more than values, and those of a condition.
const (
	messageKey    = "message"
	conditionsKey = "conditions"
	typeKey       = "type"
	statusKey     = "status"
	sinceKey      = "lastTransitionTime"
)

// merge returns a status that says what a pipeline said beside what was there: a key
// takes the place of the same key, one without a value takes it away, and each
// condition takes the place of the one of its type. Neither map is changed. Now is
// for conditions that become another.
func merge(there, said map[string]any, now string) map[string]any {
	merged := maps.Clone(there)
	if merged == nil {
		merged = map[string]any{}
	}
	for key, value := range said {
		switch {
		case value == nil:
			delete(merged, key)
		case key == conditionsKey:
			given, _ := value.([]any) // ReadStatus takes nothing else
			merged[key] = mergeConditions(merged[key], given, now)
		default:
			merged[key] = value
		}
	}
	return merged
}

// mergeConditions keeps the order of those that are there.
func mergeConditions(there any, said []any, now string) []any {
	merged, _ := there.([]any)
	merged = slices.Clone(merged)
	for _, one := range said {
		condition, ok := one.(map[string]any)
		if !ok {
			continue
		}
		at := slices.IndexFunc(merged, func(other any) bool { return typeOf(other) == condition[typeKey] })
		if at < 0 {
			merged = append(merged, since(condition, nil, now))
			continue
		}
		before, _ := merged[at].(map[string]any)
		merged[at] = since(condition, before, now)
	}
	return merged
}

// typeOf returns the type of a condition; that of anything else is nil.
func typeOf(condition any) any {
	fields, _ := condition.(map[string]any)
	return fields[typeKey]
}

// since returns a condition that says since when it has its status: unless it says
// so itself, since the condition before has had it, or since now.
func since(condition, before map[string]any, now string) map[string]any {
	if condition[sinceKey] != nil {
		return condition
	}
	made := maps.Clone(condition)
	made[sinceKey] = now
	if before[sinceKey] != nil && before[statusKey] == condition[statusKey] {
		made[sinceKey] = before[sinceKey]
	}
	return made
}
