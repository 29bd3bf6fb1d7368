package kustomize

import (
	"errors"
	"fmt"

	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/internal/yamlnodes"
)

// follower runs kustomize builds for objects that can fail at the end of a build or after it.
type follower struct {
	batch   []buildable
	objects int
	// nodes is an upper bound on the number of nodes in batch.
	nodes   int
	ids     map[ID]bool
	results map[int]*followed
}

type followed struct {
	// late is the first error about the file.
	late error
	// outcomes maps the position of an object for which isPlain returns false to its Outcome.
	outcomes map[int]Outcome
}

type buildable struct {
	file    int
	content []byte
	nodes   int
	// ids maps the position of an object whose outcome is needed to its ID.
	ids map[int]ID
}

const followedAtOnce = 64

// maxFollowed is the maximum number of nodes of a batch, and of one object that is built.
const maxFollowed = 60_000

// follow runs the builds and returns the results by the index of the file.
func follow(files [][]byte, objects [][]Object) map[int]*followed {
	f := &follower{ids: map[ID]bool{}, results: map[int]*followed{}}
	for i, content := range files {
		f.results[i] = &followed{outcomes: map[int]Outcome{}}
		if !f.addFile(i, content, objects[i]) {
			f.addObjects(i, content)
		}
	}
	f.build()
	return f.results
}

// addFile adds a whole file to the batch. It returns false if the file is too large or contains an
// object twice.
func (f *follower) addFile(file int, content []byte, objects []Object) bool {
	nodes := yamlnodes.AtMost(content)
	if len(objects) > followedAtOnce || nodes > maxFollowed {
		return false
	}
	ids, all := map[int]ID{}, make(map[ID]bool, len(objects))
	for i, object := range objects {
		if all[object.ID] {
			return false
		}
		all[object.ID] = true
		if !object.plain {
			ids[i] = object.ID
		}
	}
	f.add(buildable{file, content, nodes, ids}, all)
	return true
}

func (f *follower) addObjects(file int, content []byte) {
	var found []single
	schema.RLock()
	at := -1
	err := eachResource(content, func(res *resource.Resource, _ int) error {
		at++
		one, err := singleOf(res, at)
		if err == nil && one != nil {
			found = append(found, *one)
		}
		return err
	})
	schema.RUnlock()
	if errors.Is(err, ErrLimit) {
		f.results[file].late = err
	}
	if err != nil {
		return // Cache.File has already reported all other errors
	}
	for _, one := range found {
		one.file = file
		f.add(one.buildable, map[ID]bool{one.id: true})
	}
}

type single struct {
	buildable
	id ID
}

// singleOf returns an object that must be built, or nil if it needs no build. It returns an error
// if the object is too large.
func singleOf(res *resource.Resource, position int) (*single, error) {
	object := objectOf(res, 1)
	if object.plain && !Refers(object.ID) {
		return nil, nil //nolint:nilnil // nothing to build
	}
	nodes := countNodes(res.YNode())
	if nodes > maxFollowed {
		return nil, fmt.Errorf("%w: it has %d values in a %s; %d are read", ErrLimit, nodes, res.GetKind(), maxFollowed)
	}
	text, err := res.RNode.String()
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // kustomize could not write out the object either, and reports that
	}
	ids := map[int]ID{}
	if !object.plain {
		ids[position] = object.ID
	}
	return &single{buildable{content: []byte(text), nodes: nodes, ids: ids}, object.ID}, nil
}

func countNodes(node *yaml.Node) int {
	count := 1
	for _, child := range node.Content {
		count += countNodes(child)
	}
	return count
}

func (f *follower) add(some buildable, ids map[ID]bool) {
	full := f.objects+len(ids) > followedAtOnce || f.nodes+some.nodes > maxFollowed
	for id := range ids {
		full = full || f.ids[id]
	}
	if full {
		f.build()
	}
	for id := range ids {
		f.ids[id] = true
	}
	f.batch = append(f.batch, some)
	f.objects += len(ids)
	f.nodes += some.nodes
}

// build builds the batch. If this fails, it builds each element of the batch separately.
func (f *follower) build() {
	if len(f.batch) == 0 {
		return
	}
	built, err := buildAlone(f.batch)
	for i, some := range f.batch {
		result := f.results[some.file]
		if err != nil {
			if result.late != nil {
				continue
			}
			if built, result.late = buildAlone(f.batch[i : i+1]); result.late != nil {
				continue
			}
		}
		result.add(some, built)
	}
	f.batch, f.objects, f.nodes, f.ids = nil, 0, 0, map[ID]bool{}
}

func (r *followed) add(some buildable, built resmap.ResMap) {
	schema.RLock()
	defer schema.RUnlock()
	for position, id := range some.ids {
		r.outcomes[position] = Outcome{Local: true}
		for _, res := range built.Resources() {
			if idOf(res) == id {
				r.outcomes[position] = writeOut(res)
			}
		}
	}
}

func buildAlone(batch []buildable) (resmap.ResMap, error) {
	var files []tree.File
	var paths []tree.Path
	for i, some := range batch {
		path, err := tree.ParsePath(fmt.Sprintf("%d.yaml", i))
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
		files = append(files, tree.File{Path: path, Content: some.content})
	}
	return Lazy{}.buildUnits(tree.Path{}, paths, files)
}
