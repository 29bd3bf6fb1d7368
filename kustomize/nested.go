package kustomize

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/tree"
)

// Nested is what a directory with a kustomization of its own adds to a build.
type Nested struct {
	Objects []Object
	// Outside tells that the build looked at more than the directory itself:
	// with other files around it, it may come to something else.
	Outside bool
	// Late tells that the directory alone fails only after everything was put
	// together: references and variables come last. Until then its objects were
	// there, and they are given, unless it fails for something else.
	Late bool
}

// probeDir is where the kustomization lies that asks a directory for its ids.
const probeDir = "/.probe"

// bare makes kustomize keep what it would change or drop only at the very end
// of a build: the hash behind a generated name, and objects for local use. Two
// directories clash before that.
func bare() types.Patch {
	return types.Patch{Target: &types.Selector{}, Patch: `{"apiVersion":"any/v1","kind":"Any","metadata":{"name":"any","annotations":{` +
		`"internal.config.kubernetes.io/needsHashSuffix":null,"config.kubernetes.io/local-config":"false"}}}`}
}

// BuildNested has kustomize build a directory that has a kustomization, as a
// part of a root that Flux builds. The kustomization may load every one of the
// files, whose paths are relative to the root. The error is kustomize's own; it
// is ErrRemote when the build was not tried.
func BuildNested(root, dir tree.Path, files []tree.File) (Nested, error) {
	found, err := probe(root, dir, files, bare())
	if found.Late {
		if early, failed := probe(root, dir, withoutVariables(files), bare(), withoutReferences()); failed == nil {
			found.Objects = early.Objects
		}
		return found, err
	}
	return found.writtenOut(root, dir, files, err)
}

// writtenOut adds the fates of the objects. What is not plain may also be what
// the probe failed on, while Flux's own build comes to its end and fails after
// it.
func (n Nested) writtenOut(root, dir tree.Path, files []tree.File, failed error) (Nested, error) {
	plain := !slices.ContainsFunc(n.Objects, func(o Object) bool { return !o.plain })
	if failed == nil && plain || errors.Is(failed, errTime) || errors.Is(failed, ErrRemote) {
		return n, failed
	}
	built, err := buildUnits(root, []tree.Path{dir}, files)
	if err != nil {
		return n, failed
	}
	schema.RLock()
	defer schema.RUnlock()
	fates := make(map[ID]Fate, built.Size())
	var objects []Object
	for _, res := range built.Resources() {
		object := objectOf(res, 1)
		if !object.plain {
			object.Fate = writeOut(res)
		}
		objects = append(objects, object)
		fates[object.ID] = object.Fate
	}
	if failed != nil {
		if !slices.ContainsFunc(objects, func(o Object) bool { return o.Fate.Unwritable != "" }) {
			return n, failed
		}
		n.Objects = objects
		return n, nil
	}
	for i, object := range n.Objects {
		fate, there := fates[object.ID]
		if !there {
			fate = fateOfRenamed(object.ID, fates)
		}
		n.Objects[i].Fate = fate
	}
	return n, nil
}

// fateOfRenamed returns the fate of an object that a build gives a hash behind
// its name, or drops.
func fateOfRenamed(id ID, fates map[ID]Fate) Fate {
	for other, fate := range fates {
		hashed, found := strings.CutPrefix(other.Name, id.Name+"-")
		if other.Name = id.Name; found && !strings.Contains(hashed, "-") && other == id {
			return fate
		}
	}
	return Fate{Local: true}
}

// probe builds a directory, with patches for all that it has.
func probe(root, dir tree.Path, files []tree.File, patches ...types.Patch) (Nested, error) {
	disk := newDisk(directory(root), files)
	disk.watch(directory(root) + "/" + dir.String())
	manifest, err := yaml.Marshal(types.Kustomization{
		TypeMeta:  types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
		Resources: []string{".." + directory(root) + "/" + dir.String()},
		Patches:   patches,
	})
	if err != nil {
		return Nested{}, fmt.Errorf("generate a kustomization: %w", err)
	}
	disk.put(probeDir+"/"+konfig.DefaultKustomizationFileName(), manifest)
	built, err := run(disk, probeDir)
	found := Nested{Outside: disk.outside.Load()}
	switch {
	case errors.Is(err, errTime), errors.Is(err, ErrRemote):
		return found, err
	case err != nil && !strings.HasPrefix(err.Error(), "accumulating resources"):
		found.Late = true
		return found, nil
	case err != nil:
		return found, err
	}
	schema.RLock()
	defer schema.RUnlock()
	for _, res := range built.Resources() {
		found.Objects = append(found.Objects, objectOf(res, 1))
	}
	return found, nil
}
