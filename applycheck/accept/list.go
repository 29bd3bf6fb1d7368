package accept

import "slices"

type list struct {
	item *node
	// unique means that no two items may have the same keys. In a list without keys, each item is
	// its own key.
	unique bool
	keys   []listKey
}

type listKey struct {
	name string
	// absent is the value of a missing field. It is nil if the field has no default.
	absent any
}

// maxKeys is the maximum number of keys of a list. Lists with more keys are not accepted.
const maxKeys = 2

// itemKey contains the values of an item's keys. It contains no floats, because a float may equal
// an integer.
type itemKey [maxKeys]any

// maxCompared is the maximum number of items that are compared pairwise.
const maxCompared = 16

func (l *list) visit(items []any) ([]any, result) {
	if l.unique && !l.isUnique(items) {
		return nil, doubtful
	}
	sent, copied := items, false
	for i, item := range items {
		below, result := l.item.visit(item)
		switch result {
		case doubtful:
			return nil, doubtful
		case changed:
			if !copied {
				sent, copied = slices.Clone(items), true
			}
			sent[i] = below
		}
	}
	if copied {
		return sent, changed
	}
	return items, unchanged
}

// isUnique reports whether all items certainly have different keys.
func (l *list) isUnique(items []any) bool {
	if len(items) > maxCompared {
		return l.isUniqueMany(items)
	}
	var array [maxCompared]itemKey
	seen := array[:0]
	for _, item := range items {
		key, ok := l.keyOf(item)
		if !ok || slices.Contains(seen, key) {
			return false
		}
		seen = append(seen, key)
	}
	return true
}

func (l *list) isUniqueMany(items []any) bool {
	seen := make(map[itemKey]bool, len(items))
	for _, item := range items {
		key, ok := l.keyOf(item)
		if !ok || seen[key] {
			return false
		}
		seen[key] = true
	}
	return true
}

// keyOf returns the key of an item, and reports whether it is known.
func (l *list) keyOf(item any) (key itemKey, ok bool) {
	if len(l.keys) == 0 {
		key[0] = item
		return key, isKey(item)
	}
	fields, isMap := item.(map[string]any)
	if !isMap {
		return key, false
	}
	for i, k := range l.keys {
		value, has := fields[k.name]
		switch {
		case !has:
			key[i] = k.absent
		case isKey(value):
			key[i] = value
		default:
			return key, false
		}
		ok = ok || key[i] != nil
	}
	return key, ok
}

func isKey(value any) bool {
	switch value.(type) {
	case string, int64, bool:
		return true
	}
	return false
}
