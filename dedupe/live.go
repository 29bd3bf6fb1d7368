package dedupe

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// Live knows the objects of a root while files come, change and go, at the cost
// of the file alone, whatever the size of the root. The zero Live is empty.
type Live struct {
	files map[tree.Path][]kustomize.ID
	// first is who has an object; others are those that have it as well, which
	// hardly any object has.
	first  map[kustomize.ID]tree.Path
	others map[kustomize.ID][]tree.Path
}

// Clash is an object that several files have, or one file several times.
type Clash struct {
	Object kustomize.ID
	// Paths are in walk order.
	Paths []tree.Path
}

// Put adds a file or replaces it. A file that kustomize cannot read has no
// objects; the error says why.
func (l *Live) Put(file tree.File) error {
	l.Remove(file.Path)
	if l.files == nil {
		l.files, l.first, l.others = map[tree.Path][]kustomize.ID{}, map[kustomize.ID]tree.Path{}, map[kustomize.ID][]tree.Path{}
	}
	if !kustomize.Loads(file.Path) {
		return nil
	}
	objects, err := kustomize.Objects(file.Content)
	if len(objects) == 0 {
		return err
	}
	ids := make([]kustomize.ID, 0, len(objects))
	for _, object := range objects {
		ids = append(ids, object.ID)
		if _, taken := l.first[object.ID]; taken {
			l.others[object.ID] = append(l.others[object.ID], file.Path)
		} else {
			l.first[object.ID] = file.Path
		}
	}
	l.files[file.Path] = ids
	return err
}

// Remove takes a file out; one that is not there makes no difference.
func (l *Live) Remove(path tree.Path) {
	for _, id := range l.files[path] {
		others := l.others[id]
		at := slices.Index(others, path)
		switch {
		case at >= 0:
			others = slices.Delete(others, at, at+1)
		case len(others) > 0:
			l.first[id] = others[0]
			others = others[1:]
		default:
			delete(l.first, id)
		}
		if len(others) == 0 {
			delete(l.others, id)
		} else {
			l.others[id] = others
		}
	}
	delete(l.files, path)
}

// Clashes gives every object that is there more than once, in order.
func (l *Live) Clashes() []Clash {
	clashes := make([]Clash, 0, len(l.others))
	for id, others := range l.others {
		paths := append([]tree.Path{l.first[id]}, others...)
		slices.SortFunc(paths, tree.Compare)
		clashes = append(clashes, Clash{Object: id, Paths: paths})
	}
	slices.SortFunc(clashes, func(a, b Clash) int { return kustomize.Compare(a.Object, b.Object) })
	return clashes
}

// Len gives the number of different objects.
func (l *Live) Len() int { return len(l.first) }
