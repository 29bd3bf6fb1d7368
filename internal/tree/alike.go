package tree

import "slices"

// Alike returns, by its place among the paths, each path that differs from
// another only in case or in Unicode's normalisation, and the place of that
// other. A directory counts too: the file "App" is like "app/x".
func Alike(paths []Path) map[int]int {
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
