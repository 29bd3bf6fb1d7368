package accept

import "slices"

// list is the compiled type of lists.
type list struct {
	item *node
	// unique means that no two items may be equal in their keys: an associative list. Without keys
	// the items are scalars, and their own keys.
	unique bool
	keys   []listKey
}

// listKey is a field that identifies an item of a list.
type listKey struct {
	name string
	// absent is the value of a missing field; nil if it has no default.
	absent any
}

// maxKeys is the maximum number of keys of a list that is accepted.
const maxKeys = 2

// itemKey are the values of an item's keys. Equal scalars of one Go type are equal to
// structured-merge-diff, and others are not; it is not used for floats, which may be equal to an
// integer.
type itemKey [maxKeys]any

// maxCompared is the number of items up to which comparing all pairs is faster than a map.
const maxCompared = 16

// visit returns a list as Flux sends it.
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

// isUnique reports whether all items have keys, and no two have the same.
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

// keyOf returns the key of an item, if it certainly has one.
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

// isKey reports whether a value can be a part of an itemKey.
func isKey(value any) bool {
	switch value.(type) {
	case string, int64, bool:
		return true
	}
	return false
}
