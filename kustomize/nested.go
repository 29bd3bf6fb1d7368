package kustomize

import (
	"errors"
	"fmt"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Nested is the result of building a directory with a kustomization.
type Nested struct {
	Objects []Object
	// Outside means that the build accessed paths outside of the directory, so the result depends
	// on other files.
	Outside bool
	// Late means that the build of the directory alone fails only when kustomize resolves
	// references and variables. Objects are then those before this step.
	Late bool
}

// probeDir is the directory of a generated kustomization.
const probeDir = "/.probe"

// keepPatches returns patches that keep kustomize from adding hash suffixes to names, and from
// dropping objects for local use.
func keepPatches() []types.Patch {
	const patch = `{"apiVersion":"any/v1","kind":"Any","metadata":{"name":"any","annotations":{"%s":%s}}}`
	return []types.Patch{
		{Target: &types.Selector{AnnotationSelector: hashAnnotation}, Patch: fmt.Sprintf(patch, hashAnnotation, "null")},
		{Target: &types.Selector{AnnotationSelector: konfig.IgnoredByKustomizeAnnotation}, Patch: fmt.Sprintf(patch, konfig.IgnoredByKustomizeAnnotation, `"false"`)},
	}
}

// hashAnnotation is set on objects whose names get a hash suffix at the end of a build.
const hashAnnotation = konfig.ConfigAnnoDomain + "/needsHashSuffix"

// BuildNested builds a directory with a kustomization as a part of root. The paths of files are
// relative to root. The error is kustomize's own, or wraps ErrRemote, or is a BoundsError.
func BuildNested(root, dir tree.Path, files []tree.File) (Nested, error) {
	return Lazy{}.Nested(root, dir, files)
}

// Nested does the same as BuildNested, and fetches missing contents with l.Fetch.
func (l Lazy) Nested(root, dir tree.Path, files []tree.File) (Nested, error) {
	probed := l.probe(root, dir, files, keepPatches()...)
	found := Nested{Outside: probed.outside, Late: probed.late}
	plain := true
	found.Objects = objectsOf(probed.built, func(*resource.Resource) Outcome {
		plain = false
		return Outcome{}
	})
	fine := probed.err == nil && !probed.late
	switch {
	case errors.Is(probed.err, errTime), errors.Is(probed.err, ErrRemote):
		return found, probed.err
	case fine && plain:
		return found, nil
	}
	built, failed := l.buildUnits(root, []tree.Path{dir}, files)
	switch {
	case failed == nil && fine:
		found.writeOut(built)
	case failed == nil: // the build without patches succeeds
		return Nested{Objects: objectsOf(built, writeOut), Outside: probed.outside}, nil
	case probed.late:
		early := l.probe(root, dir, l.withoutVariables(files), append(keepPatches(), withoutReferences())...)
		found.Objects = objectsOf(early.built, func(*resource.Resource) Outcome { return Outcome{} })
	}
	return found, probed.err
}

func (n *Nested) writeOut(built resmap.ResMap) {
	outcomes := make(map[ID]Outcome, built.Size())
	for _, object := range objectsOf(built, writeOut) {
		outcomes[object.ID] = object.Outcome
	}
	for i, object := range n.Objects {
		outcome, there := outcomes[object.ID]
		if !there {
			outcome = outcomeOfRenamed(object.ID, outcomes)
		}
		n.Objects[i].Outcome = outcome
	}
}

// objectsOf returns the objects of a build, or nil if built is nil. It calls outcome for objects
// that are not plain.
func objectsOf(built resmap.ResMap, outcome func(*resource.Resource) Outcome) []Object {
	if built == nil {
		return nil
	}
	schema.RLock()
	defer schema.RUnlock()
	objects := make([]Object, 0, built.Size())
	for _, res := range built.Resources() {
		object := objectOf(res, 1)
		if !object.plain {
			object.Outcome = outcome(res)
		}
		object.plain = false // only objects of files count as plain
		objects = append(objects, object)
	}
	return objects
}

// outcomeOfRenamed returns the Outcome of an object whose name may have a hash suffix.
func outcomeOfRenamed(id ID, outcomes map[ID]Outcome) Outcome {
	for other, outcome := range outcomes {
		hashed, found := strings.CutPrefix(other.Name, id.Name+"-")
		if other.Name = id.Name; found && !strings.Contains(hashed, "-") && other == id {
			return outcome
		}
	}
	return Outcome{Local: true}
}

type probed struct {
	// built has the objects of the build. It is nil if the build fails.
	built         resmap.ResMap
	outside, late bool
	// err is the error of the build. It is nil if the build fails only in its last step.
	err error
}

func (l Lazy) probe(root, dir tree.Path, files []tree.File, patches ...types.Patch) probed {
	disk := l.newDisk(directory(root), files)
	disk.watch(directory(root) + "/" + dir.String())
	manifest, err := yaml.Marshal(types.Kustomization{
		TypeMeta:  types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
		Resources: []string{".." + directory(root) + "/" + dir.String()},
		Patches:   patches,
	})
	if err != nil {
		return probed{err: fmt.Errorf("generate a kustomization: %w", err)}
	}
	disk.put(probeDir+"/"+konfig.DefaultKustomizationFileName(), manifest)
	built, err := run(disk, probeDir)
	found := probed{outside: disk.outside.Load()}
	switch {
	case err == nil:
		found.built = built
	case errors.Is(err, errTime), errors.Is(err, ErrRemote), strings.HasPrefix(err.Error(), "accumulating resources"):
		found.err = err
	default:
		found.late = true
	}
	return found
}
