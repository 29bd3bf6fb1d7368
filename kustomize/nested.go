package kustomize

import (
	"errors"
	"fmt"
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
	}
	return found, err
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
