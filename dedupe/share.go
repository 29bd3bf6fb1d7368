package dedupe

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// share returns the files of claims without the objects that other claims write, and the shared
// objects of each claim.
func share(a *admission) (files map[int][]File, shared map[int][]Shared) {
	files, shared = map[int][]File{}, map[int][]Shared{}
	cuts := map[int]map[fileKey][]int{}
	for id, entries := range a.index.repeated {
		if id.isPath() {
			continue
		}
		owners := ownersOf(a, entries)
		if len(owners) < 2 {
			continue
		}
		names := make([]string, 0, len(owners))
		for _, i := range owners {
			names = append(names, a.root.Claims[i].Rank.Name)
		}
		slices.Sort(names)
		for _, i := range owners {
			shared[i] = append(shared[i], Shared{Object: id.object, Owners: names})
		}
		remaining := chosen(a, entries)
		for _, e := range entries {
			if e.elsewhere || same(e, remaining) || a.states[e.claim()] != admitted {
				continue
			}
			if cuts[e.claim()] == nil {
				cuts[e.claim()] = map[fileKey][]int{}
			}
			key := fileKey{e.path, e.place.File}
			cuts[e.claim()][key] = append(cuts[e.claim()][key], e.position-1)
		}
	}
	for i, byFile := range cuts {
		files[i] = without(a.root.Claims[i].Wanted, byFile)
	}
	for i := range shared {
		slices.SortFunc(shared[i], func(a, b Shared) int { return kustomize.Compare(a.Object, b.Object) })
	}
	return files, shared
}

type fileKey struct {
	path    tree.Path
	content string
}

// ownersOf returns the sorted claims that share an object.
func ownersOf(a *admission, entries []*entry) []int {
	var owners []int
	for _, e := range entries {
		conflicts := func(o *entry) bool { return !same(o, e) && !a.copies.compatible(e, o) }
		if e.of != nil && !slices.Contains(owners, e.claim()) && (e.elsewhere || !slices.ContainsFunc(entries, conflicts)) {
			owners = append(owners, e.claim())
		}
	}
	slices.Sort(owners)
	return owners
}

// chosen returns the entry that stays in its file, or nil if the object is in no file.
func chosen(a *admission, entries []*entry) *entry {
	inFiles := slices.DeleteFunc(slices.Clone(entries), func(e *entry) bool { return e.elsewhere })
	if len(inFiles) == 0 {
		return nil
	}
	priority := func(e *entry) (p int) {
		if a.states[e.claim()] == admitted {
			p += 2
		}
		if !a.copies.isHolder(e) {
			p++
		}
		return p
	}
	return slices.MinFunc(inFiles, func(x, y *entry) int {
		return cmp.Or(cmp.Compare(priority(x), priority(y)), cmp.Compare(a.ranks[x.claim()], a.ranks[y.claim()]))
	})
}

func without(wanted []File, cuts map[fileKey][]int) []File {
	var files []File
	for _, file := range wanted {
		if positions, cut := cuts[fileKey{file.Path, file.Place.File}]; cut {
			rest, err := kustomize.Without(file.Content, positions)
			if err != nil {
				return wanted // cannot happen, because compatible has checked that the objects are separable
			}
			if rest == nil {
				continue
			}
			file.Content = rest
		}
		files = append(files, file)
	}
	return files
}
