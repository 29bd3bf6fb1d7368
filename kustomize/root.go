package kustomize

import (
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// BuiltRoot is the result of Flux's build of a directory as a root.
type BuiltRoot struct {
	// Objects are the objects of the build, each with its Outcome.
	Objects []Object
	// Failed is Flux's error message if the build fails, and otherwise empty.
	Failed string
	// File is the file that makes Flux stop before the build, or empty.
	File string
	// Remote means that the build would load something from outside the files.
	Remote bool
}

// BuildRoot builds a directory as Flux builds the path of a Flux Kustomization. The paths of files
// are relative to the top of the repository, and a kustomization may load any of the files.
func BuildRoot(dir tree.Path, files []tree.File) BuiltRoot { return Lazy{}.Root(dir, files) }

// Root does the same as BuildRoot, and fetches missing contents with l.Fetch.
func (l Lazy) Root(dir tree.Path, files []tree.File) BuiltRoot {
	place := directory(tree.Path{})
	if !dir.IsRoot() {
		place += "/" + dir.String()
	}
	disk := l.newDisk(directory(tree.Path{}), files)
	if !slices.ContainsFunc(files, func(f tree.File) bool { return f.Path.Dir() == dir && IsKustomization(f.Path) }) {
		generated, failed := l.generate(dir, files)
		if failed.Failed != "" {
			return failed
		}
		disk.put(place+"/"+konfig.DefaultKustomizationFileName(), generated)
	}
	built, err := run(disk, place)
	switch {
	case errors.Is(err, ErrRemote):
		return BuiltRoot{Failed: err.Error(), Remote: true}
	case err != nil:
		return BuiltRoot{Failed: unbuilt + err.Error()}
	}
	return BuiltRoot{Objects: objectsOf(built, writeOut)}
}

// generate returns the kustomization that Flux generates for a directory without one, or the
// failure if a file stops Flux before the build.
func (l Lazy) generate(dir tree.Path, files []tree.File) ([]byte, BuiltRoot) {
	var within []tree.File
	for _, file := range files {
		if below, ok := file.Path.RelativeTo(dir); ok {
			within = append(within, tree.File{Path: below, Content: file.Content})
		}
	}
	generated := types.Kustomization{TypeMeta: types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind}}
	for _, unit := range Units(within) {
		if !unit.Nested {
			content := l.fetched(tree.File{Path: dir.Join(unit.Path), Content: unit.Files[0].Content}).Content
			if err := decodable(dir, tree.File{Path: unit.Path, Content: content}); err != nil {
				return nil, BuiltRoot{Failed: err.Error(), File: dir.Join(unit.Path).String()}
			}
		}
		generated.Resources = append(generated.Resources, "./"+unit.Path.String())
	}
	content, err := yaml.Marshal(generated)
	if err != nil {
		return nil, BuiltRoot{Failed: fmt.Sprintf("generate a kustomization: %v", err)}
	}
	return content, BuiltRoot{}
}
