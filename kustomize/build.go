package kustomize

import (
	"fmt"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Build builds root with the given files as Flux does. The error has Flux's message, and wraps
// ErrBuild if kustomize's build fails. No file may be a kustomization at the top of root.
func Build(root tree.Path, files []tree.File) error {
	var paths []tree.Path
	for _, unit := range Units(files) {
		paths = append(paths, unit.Path)
		if unit.Nested {
			continue
		}
		if err := decodable(root, unit.Files[0]); err != nil {
			return err
		}
	}
	return BuildUnits(root, paths, files)
}

// decodable returns the error with which Flux stops before the build, or nil.
func decodable(root tree.Path, file tree.File) error {
	_, err := decode(file.Content)
	var panicked *panicError
	switch {
	case asPanic(err, &panicked):
		return fmt.Errorf("recovered from panic while parsing YAML file %s: %v", file.Path.Base(), panicked.value)
	case err != nil:
		return fmt.Errorf("failed to decode Kubernetes YAML from %s/%s: %w", directory(root), file.Path, err)
	}
	return nil
}

func directory(root tree.Path) string {
	if root.IsRoot() {
		return "/root"
	}
	return "/" + root.String()
}

// BuildUnits builds the kustomization that Flux would generate for the given units. The paths of
// units are relative to root and in walk order. files are all files that the build may load.
func BuildUnits(root tree.Path, units []tree.Path, files []tree.File) error {
	return Lazy{}.Units(root, units, files)
}

// Units does the same as BuildUnits, and fetches missing contents with l.Fetch.
func (l Lazy) Units(root tree.Path, units []tree.Path, files []tree.File) error {
	if len(units) == 0 {
		return nil
	}
	_, err := l.buildUnits(root, units, files)
	return err
}

func (l Lazy) buildUnits(root tree.Path, units []tree.Path, files []tree.File) (resmap.ResMap, error) {
	generated := types.Kustomization{
		TypeMeta: types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
	}
	for _, unit := range units {
		generated.Resources = append(generated.Resources, "./"+unit.String())
	}
	dir := directory(root)
	disk := l.newDisk(dir, files)
	content, err := yaml.Marshal(generated)
	if err != nil {
		return nil, fmt.Errorf("generate a kustomization: %w", err)
	}
	disk.put(dir+"/"+konfig.DefaultKustomizationFileName(), content)
	built, err := run(disk, dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBuild, err)
	}
	return built, nil
}
