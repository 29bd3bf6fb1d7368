package kustomize

import (
	"bytes"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/secrets"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// SecretFiles returns the files that kustomizations may put into Secrets, each with its
// kustomization. all are the paths of all files in walk order. read returns the content of a file,
// or nil if the file does not exist.
func SecretFiles(all []tree.Path, read func(tree.Path) ([]byte, error)) (map[tree.Path]tree.Path, error) {
	finder := secretFiles{all: all, read: read, found: map[tree.Path]tree.Path{}}
	for _, file := range all {
		if IsKustomization(file) {
			finder.kustomization(file)
		}
	}
	return finder.found, finder.err
}

type secretFiles struct {
	all   []tree.Path
	read  func(tree.Path) ([]byte, error)
	found map[tree.Path]tree.Path
	err   error
}

var (
	// namesSecrets matches a kustomization that may put a file into a Secret.
	namesSecrets = regexp.MustCompile(`(?i)secretGenerator|patches|generators|transformers|validators`)
	generates    = regexp.MustCompile(`(?i)secretGenerator`)
)

func (f *secretFiles) kustomization(file tree.Path) {
	content := f.content(file)
	if !namesSecrets.Match(content) {
		return
	}
	var k types.Kustomization
	if err := yaml.Unmarshal(content, &k); err != nil {
		if generates.Match(content) {
			for _, below := range tree.Below(f.all, file.Dir()) {
				f.found[below] = file
			}
		}
		return
	}
	for _, generator := range k.SecretGenerator {
		f.sources(file, generator.KvPairSources)
	}
	for _, patch := range slices.Concat(k.Patches, k.PatchesJson6902) { //nolint:staticcheck // deprecated, and built by Flux
		f.patch(file, patch)
	}
	f.plugins(file, file.Dir(), slices.Concat(k.Generators, k.Transformers, k.Validators), 0)
}

func (f *secretFiles) content(file tree.Path) []byte {
	content, err := f.read(file)
	if err != nil && f.err == nil {
		f.err = err
	}
	return content
}

func (f *secretFiles) sources(kustomization tree.Path, from types.KvPairSources) {
	for _, source := range from.FileSources {
		_, name, keyed := strings.Cut(source, "=")
		if !keyed {
			name = source
		}
		f.add(kustomization, name)
	}
	for _, name := range append(from.EnvSources, from.EnvSource) {
		f.add(kustomization, name)
	}
}

// patch adds the file of a patch if the target of the patch may be a Secret.
func (f *secretFiles) patch(kustomization tree.Path, patch types.Patch) {
	if patch.Target != nil && secrets.MaySelect(patch.Target.Group, patch.Target.Kind) {
		f.add(kustomization, patch.Path)
	}
}

func (f *secretFiles) add(kustomization tree.Path, name string) {
	file, ok := beside(kustomization.Dir(), name)
	if !ok || name == "" {
		return
	}
	f.found[file] = kustomization
	for _, below := range tree.Below(f.all, file) { // older versions of kustomize accept directories here
		f.found[below] = kustomization
	}
}

// beside returns the path of name relative to dir, and reports whether the path is valid.
func beside(dir tree.Path, name string) (tree.Path, bool) {
	file, err := tree.ParsePath(path.Join(dir.String(), name))
	return file, err == nil
}

// plugin has fields from the configuration of a built-in generator or transformer of kustomize.
type plugin struct {
	Kind string `json:"kind"`
	types.KvPairSources
	Path   string          `json:"path"`
	Target *types.Selector `json:"target"`
}

// plugins adds the files that the generators and transformers of a kustomization put into Secrets.
// An entry is an inline document, a file, or a directory with a kustomization.
func (f *secretFiles) plugins(kustomization, dir tree.Path, entries []string, depth int) {
	const deepest = 10
	if depth > deepest {
		return
	}
	for _, entry := range entries {
		if f.plugin(kustomization, []byte(entry)) {
			continue
		}
		file, ok := beside(dir, entry)
		if !ok {
			continue
		}
		for _, nested := range tree.Below(f.all, file) {
			var k types.Kustomization
			switch {
			case nested == file:
				f.plugin(kustomization, f.content(file))
			case nested.Dir() == file && IsKustomization(nested) && yaml.Unmarshal(f.content(nested), &k) == nil:
				f.plugins(kustomization, file, slices.Concat(k.Resources, k.Components), depth+1)
			}
		}
	}
}

// plugin adds the files that content names, and reports whether content has objects.
func (f *secretFiles) plugin(kustomization tree.Path, content []byte) bool {
	if !bytes.Contains(content, []byte("kind")) {
		return false
	}
	objects, err := Canonical(content)
	if err != nil {
		return false
	}
	for _, object := range objects {
		var p plugin
		if json.Unmarshal(object, &p) != nil {
			continue // kustomize also ignores a document that is not an object with these fields
		}
		if p.Kind == "SecretGenerator" {
			f.sources(kustomization, p.KvPairSources)
		}
		f.patch(kustomization, types.Patch{Path: p.Path, Target: p.Target})
	}
	return len(objects) > 0
}
