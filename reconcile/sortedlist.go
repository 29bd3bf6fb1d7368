package reconcile

import (
	"cmp"
	"slices"
)

// sortedList is the sorted list of the values of several parts. The zero value is an empty list.
type sortedList[T any] struct {
	parts map[string][]T
	order []position
	all   []T
}

type position struct {
	part  string
	index int
}

// merge returns the values of all parts, sorted by compare and then by the key of their part. The
// parts must not be modified afterwards.
func (l *sortedList[T]) merge(parts map[string][]T, compare func(a, b T) int, equal func(a, b T) bool) []T {
	kept := map[string]bool{}
	var fresh []position
	for key, part := range parts {
		if was, known := l.parts[key]; known && (isSame(was, part) || slices.EqualFunc(was, part, equal)) {
			kept[key] = true
			continue
		}
		for i := range part {
			fresh = append(fresh, position{key, i})
		}
	}
	isReduced := len(kept) < len(l.parts)
	l.parts = parts
	if len(fresh) == 0 && !isReduced {
		return l.all
	}
	byValue := func(a, b position) int {
		return cmp.Or(compare(parts[a.part][a.index], parts[b.part][b.index]), cmp.Compare(a.part, b.part), cmp.Compare(a.index, b.index))
	}
	slices.SortFunc(fresh, byValue)
	l.order = slices.DeleteFunc(l.order, func(p position) bool { return !kept[p.part] })
	l.order = mergeSorted(l.order, fresh, byValue)
	l.all = nil
	if len(l.order) > 0 {
		l.all = make([]T, 0, len(l.order))
	}
	for _, p := range l.order {
		l.all = append(l.all, parts[p.part][p.index])
	}
	return l.all
}

func mergeSorted[T any](a, b []T, compare func(a, b T) int) []T {
	merged := make([]T, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if compare(a[0], b[0]) <= 0 {
			merged, a = append(merged, a[0]), a[1:]
		} else {
			merged, b = append(merged, b[0]), b[1:]
		}
	}
	return append(append(merged, a...), b...)
}
