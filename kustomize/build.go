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

// Build builds files as Flux would build the directory root with only them in
// it, and gives nil or an error with Flux's words. An error of the build itself
// wraps ErrBuild; a file that is no Kubernetes object fails before. The cost
// grows with the square of the number of objects, so pass few files; Judge
// says the same of many.
func Build(root tree.Path, files []tree.File) error {
	units := Units(files)
	if len(units) > 0 && units[0].Nested && units[0].Path.IsRoot() {
		return buildTrusted(root, files)
	}
	for _, unit := range units {
		if unit.Nested {
			continue
		}
		if err := decodable(root, unit.Files); err != nil {
			return err
		}
	}
	return buildUnits(root, units, files)
}

// decodable is what Flux does first: it reads every file, in walk order, and
// stops at the first that is no Kubernetes object.
func decodable(root tree.Path, files []tree.File) error {
	for _, file := range files {
		_, err := resources(file.Content)
		var panicked *panicError
		switch {
		case asPanic(err, &panicked):
			return fmt.Errorf("recovered from panic while parsing YAML file %s: %v", file.Path.Base(), panicked.value)
		case err != nil:
			return fmt.Errorf("failed to decode Kubernetes YAML from %s/%s: %w", directory(root), file.Path, err)
		}
	}
	return nil
}

// directory gives the place of a root in the memory that kustomize works on.
func directory(root tree.Path) string {
	if root.IsRoot() {
		return "/root"
	}
	return "/" + root.String()
}

// buildUnits builds what Flux would generate for some units; files is all that
// may be loaded.
func buildUnits(root tree.Path, units []Unit, files []tree.File) error {
	generated := types.Kustomization{
		TypeMeta: types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
	}
	for _, unit := range units {
		generated.Resources = append(generated.Resources, "./"+unit.Path.String())
	}
	if len(units) == 0 {
		return nil
	}
	return buildManifest(root, konfig.DefaultKustomizationFileName(), generated, files)
}

// buildTrusted builds a root that has a kustomization of its own, after Flux's
// small changes to it.
func buildTrusted(root tree.Path, files []tree.File) error {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		for _, file := range files {
			if file.Path.String() != name {
				continue
			}
			found := types.Kustomization{
				TypeMeta: types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
			}
			if err := yaml.Unmarshal(file.Content, &found); err != nil {
				return err
			}
			if len(found.Resources) == 0 {
				found.BuildMetadata = []string{types.OriginAnnotations}
			}
			return buildManifest(root, name, found, files)
		}
	}
	return nil
}

// buildManifest builds a kustomization among files.
func buildManifest(root tree.Path, name string, manifest types.Kustomization, files []tree.File) error {
	if err := loadsOnlyFiles(files); err != nil {
		return err
	}
	dir := directory(root)
	disk := newDisk(dir, files)
	content, err := yaml.Marshal(manifest)
	if err != nil {
		return fmt.Errorf("generate a kustomization: %w", err)
	}
	disk.put(dir+"/"+name, content)
	if _, err := run(disk, dir); err != nil {
		return fmt.Errorf("%w: %w", ErrBuild, err)
	}
	return nil
}

// probeDir is where the kustomization lies that asks a directory for its ids.
const probeDir = "/.probe"

// bare makes kustomize keep what it would change or drop only at the very end
// of a build: the hash behind a generated name, and objects for local use. Two
// directories clash before that.
const bare = `{"apiVersion":"any/v1","kind":"Any","metadata":{"name":"any","annotations":{` +
	`"internal.config.kubernetes.io/needsHashSuffix":null,"config.kubernetes.io/local-config":"false"}}}`

// errLate is a directory that fails only after everything of the build it is in
// was put together: references and variables come last. What it adds is then
// not known.
var errLate = errors.New("it fails once it is together with the rest")

// nestedObjects gives the ids that a directory with a kustomization of its own
// adds to a build.
func nestedObjects(root, dir tree.Path, files []tree.File) ([]Object, error) {
	if err := loadsOnlyFiles(files); err != nil {
		return nil, err
	}
	disk := newDisk(directory(root), files)
	manifest, err := yaml.Marshal(types.Kustomization{
		TypeMeta:  types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
		Resources: []string{".." + directory(root) + "/" + dir.String()},
		Patches:   []types.Patch{{Patch: bare, Target: &types.Selector{}}},
	})
	if err != nil {
		return nil, fmt.Errorf("generate a kustomization: %w", err)
	}
	disk.put(probeDir+"/"+konfig.DefaultKustomizationFileName(), manifest)
	built, err := run(disk, probeDir)
	if err != nil && !strings.HasPrefix(err.Error(), "accumulating resources") {
		return nil, fmt.Errorf("%w: %w", errLate, err)
	}
	if err != nil {
		return nil, err
	}
	schema.RLock()
	defer schema.RUnlock()
	objects := make([]Object, 0, built.Size())
	for _, res := range built.Resources() {
		objects = append(objects, objectOf(res, 1))
	}
	return objects, nil
}
