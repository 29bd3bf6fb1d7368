package kustomize

import (
	"fmt"
	"sync"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/tree"
)

// Build builds files as Flux would build the directory root with only them in
// it, and gives nil or an error with Flux's words. An error of the build itself
// wraps ErrBuild; a file that is no Kubernetes object fails before. The cost
// grows with the square of the number of objects, so pass few files.
func Build(root tree.Path, files []tree.File) error {
	if err := decodable(root, files); err != nil {
		return err
	}
	if len(files) == 0 {
		return nil // Flux sees to it that nothing can be built
	}
	disk, dir, err := inMemory(root, files)
	if err != nil {
		return err
	}
	if err := run(disk, dir); err != nil {
		return fmt.Errorf("%w: %w", ErrBuild, err)
	}
	return nil
}

// decodable is what Flux does first: it reads every file, in walk order, and
// stops at the first that is no Kubernetes object.
func decodable(root tree.Path, files []tree.File) error {
	for _, file := range files {
		if _, err := resources(file.Content); err != nil {
			return fmt.Errorf("failed to decode Kubernetes YAML from /%s: %w", root.Join(file.Path), err)
		}
	}
	return nil
}

// inMemory lays the files out beside the kustomization.yaml that Flux would
// generate for them.
func inMemory(root tree.Path, files []tree.File) (filesys.FileSystem, string, error) {
	disk := filesys.MakeFsInMemory()
	dir := "/" + root.String()
	if root.IsRoot() {
		dir = "/root"
	}
	generated := types.Kustomization{
		TypeMeta: types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
	}
	for _, file := range files {
		generated.Resources = append(generated.Resources, "./"+file.Path.String())
		if err := disk.WriteFile(dir+"/"+file.Path.String(), file.Content); err != nil {
			return nil, "", fmt.Errorf("lay out %s: %w", file.Path, err)
		}
	}
	manifest, err := yaml.Marshal(generated)
	if err != nil {
		return nil, "", fmt.Errorf("generate a kustomization: %w", err)
	}
	if err := disk.WriteFile(dir+"/"+konfig.DefaultKustomizationFileName(), manifest); err != nil {
		return nil, "", fmt.Errorf("lay out the kustomization: %w", err)
	}
	return disk, dir, nil
}

// schema guards kustomize's schema, which is global to the process: a build
// resets it, and reading an id asks it whether the kind lives in namespaces.
var schema sync.RWMutex //nolint:gochecknoglobals // what it guards is global too

// run builds as Flux does: plugins off, the schema reset, panics recovered.
func run(disk filesys.FileSystem, dir string) (err error) {
	schema.Lock()
	defer schema.Unlock()
	defer openapi.ResetOpenAPI()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("kustomize panics: %v", r)
		}
	}()
	openapi.ResetOpenAPI()
	_, err = krusty.MakeKustomizer(&krusty.Options{
		LoadRestrictions: types.LoadRestrictionsNone,
		PluginConfig:     types.DisabledPluginConfig(),
	}).Run(disk, dir)
	return err
}
