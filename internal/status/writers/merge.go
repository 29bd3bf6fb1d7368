package writers

import (
	"maps"
	"slices"
)

// The keys of a status and of a condition that are treated specially.
const (
	messageKey    = "message"
	conditionsKey = "conditions"
	typeKey       = "type"
	statusKey     = "status"
	sinceKey      = "lastTransitionTime"
)

// merge returns a status with the fields of said merged into it. A nil value removes a key, and a
// condition replaces the condition of the same type. now is the time of conditions that change.
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
			given, _ := value.([]any) // ReadStatus accepts only lists
			merged[key] = mergeConditions(merged[key], given, now)
		default:
			merged[key] = value
		}
	}
	return merged
}

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

// typeOf returns the type of a condition, or nil for a value that is not a condition.
func typeOf(condition any) any {
	fields, _ := condition.(map[string]any)
	return fields[typeKey]
}

// since returns a condition with a lastTransitionTime: its own, the former time if the status is
// the same, or else now.
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
