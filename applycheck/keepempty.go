package applycheck

// keepEmpty adds to the fields of an object the empty lists and maps that only its old form has.
// Server-side apply does not remove them, since no field manager owns an item of an empty list.
func keepEmpty(fields, old map[string]any) {
	for name, before := range old {
		now, has := fields[name]
		if !has {
			if isEmptyCollection(before) {
				fields[name] = before
			}
			continue
		}
		keepEmptyIn(now, before)
	}
}

// keepEmptyIn applies keepEmpty to the objects within two values. It matches items of lists by
// position.
func keepEmptyIn(now, before any) {
	switch x := now.(type) {
	case map[string]any:
		if y, isMap := before.(map[string]any); isMap {
			keepEmpty(x, y)
		}
	case []any:
		y, _ := before.([]any)
		for i := range min(len(x), len(y)) {
			keepEmptyIn(x[i], y[i])
		}
	}
}

// isEmptyCollection reports whether a value is an empty list, or a map whose values are all empty
// lists or such maps.
func isEmptyCollection(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		for _, below := range v {
			if !isEmptyCollection(below) {
				return false
			}
		}
		return true
	case []any:
		return len(v) == 0
	}
	return false
}
