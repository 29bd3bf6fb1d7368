package source

import "slices"

// splice returns a sorted list without the elements of removed and with those of added. All removed
// elements must be in the list. It does not modify the list.
func splice[T any](list, removed, added []T, compare func(a, b T) int) []T {
	if len(removed)+len(added) == 0 {
		return list
	}
	size := len(list) + len(added) - len(removed)
	if size == 0 {
		return nil
	}
	removed, added = slices.SortedFunc(slices.Values(removed), compare), slices.SortedFunc(slices.Values(added), compare)
	result := make([]T, 0, size)
	for len(removed)+len(added) > 0 {
		removes := len(added) == 0 || (len(removed) > 0 && compare(removed[0], added[0]) <= 0)
		var edge T
		if removes {
			edge, removed = removed[0], removed[1:]
		} else {
			edge, added = added[0], added[1:]
		}
		at, _ := slices.BinarySearchFunc(list, edge, compare)
		result, list = append(result, list[:at]...), list[at:]
		if removes {
			list = list[1:]
		} else {
			result = append(result, edge)
		}
	}
	return append(result, list...)
}
