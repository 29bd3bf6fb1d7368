package tree

import "slices"

// CaseCollisions returns pairs of paths that differ only in case or Unicode normalization, as a map
// of their indices. Parent directories are compared too: "App" collides with "app/x".
func CaseCollisions(paths []Path) map[int]int {
	if !slices.ContainsFunc(paths, func(p Path) bool { return !p.IsFolded() }) {
		return nil
	}
	files := make(map[string]int, len(paths))
	for i, p := range paths {
		if _, taken := files[p.Fold()]; !taken {
			files[p.Fold()] = i
		}
	}
	alike := map[int]int{}
	for i, p := range paths {
		for at := p; !at.IsRoot(); at = at.Dir() {
			if other, taken := files[at.Fold()]; taken && paths[other] != at {
				alike[i] = other
				break
			}
		}
	}
	return alike
}
