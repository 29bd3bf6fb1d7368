package applycheck

// keepEmpty copies empty lists and maps from old to fields if fields lack them, because server-side
// apply does not remove them.
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

// isEmptyCollection reports whether a value consists of only maps and empty lists.
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
