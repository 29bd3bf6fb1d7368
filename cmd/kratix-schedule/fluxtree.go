package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/source"
)

type rootBuilder interface {
	Roots(ctx context.Context, dirs []tree.Path, files []tree.File, each func(tree.Path, kustomize.BuiltRoot)) error
}

type buildHere struct{}

func (buildHere) Roots(ctx context.Context, dirs []tree.Path, files []tree.File, each func(tree.Path, kustomize.BuiltRoot)) error {
	for _, dir := range dirs {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		each(dir, kustomize.BuildRoot(dir, files))
	}
	return nil
}

type fluxKustomization struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct{ Name, Namespace string }
	Spec       struct {
		Path      string
		SourceRef struct{ Kind, Name, Namespace string } `yaml:"sourceRef"`
	}
	file tree.Path
	line int
}

func (k *fluxKustomization) String() string {
	if k.Metadata.Namespace == "" {
		return "Kustomization " + k.Metadata.Name
	}
	return "Kustomization " + k.Metadata.Namespace + "/" + k.Metadata.Name
}

// dir returns the directory in spec.path, relative to the root of the repository.
func (k *fluxKustomization) dir() (tree.Path, error) {
	return tree.ParseDir(strings.Trim(strings.TrimPrefix(k.Spec.Path, "./"), "/"))
}

func fluxKustomizations(files []tree.File) []fluxKustomization {
	var found []fluxKustomization
	for _, file := range files {
		if !kustomize.Loads(file.Path) || !bytes.Contains(file.Content, []byte("kustomize.toolkit.fluxcd.io/")) {
			continue
		}
		decoder := yaml.NewDecoder(bytes.NewReader(file.Content))
		for {
			var node yaml.Node
			if decoder.Decode(&node) != nil { // the build reports malformed files
				break
			}
			k := fluxKustomization{file: file.Path, line: 1}
			if len(node.Content) > 0 {
				k.line = node.Content[0].Line
			}
			if node.Decode(&k) == nil && k.Kind == "Kustomization" && strings.HasPrefix(k.APIVersion, "kustomize.toolkit.fluxcd.io/") {
				found = append(found, k)
			}
		}
	}
	return found
}

type fluxTree struct {
	top   string
	files []tree.File
	found []fluxKustomization
	// roots are the directories to check, each with the Flux Kustomizations that name it.
	roots   map[tree.Path][]string
	objects int
}

// fluxTree returns the tree as a Flux repository, or nil if it has no roots.
func (s *checkStores) fluxTree() *fluxTree {
	ignored := kustomize.Ignore(s.files)
	t := &fluxTree{top: s.tree.dir, roots: map[tree.Path][]string{}}
	t.files = slices.DeleteFunc(slices.Clone(s.files), func(f tree.File) bool { return ignored.Has(f.Path) })
	t.found = fluxKustomizations(t.files)
	for i := range t.found {
		if dir, err := t.found[i].dir(); err == nil && t.has(dir) {
			t.roots[dir] = append(t.roots[dir], t.found[i].String())
		}
	}
	if len(t.roots) == 0 {
		for _, file := range t.files {
			if kustomize.IsKustomization(file.Path) {
				t.roots[file.Path.Dir()] = nil
			}
		}
	}
	if len(t.roots) == 0 {
		return nil
	}
	return t
}

func (t *fluxTree) has(dir tree.Path) bool {
	return slices.ContainsFunc(t.files, func(f tree.File) bool { return f.Path.Within(dir) })
}

func (t *fluxTree) print(out io.Writer) {
	if len(t.found) == 0 || !t.isNamed() {
		_, _ = fmt.Fprintf(out, "kratix-schedule: no Flux Kustomization in %s names a directory of it; each of the %d directories with a kustomization is checked separately\n", printable.Line(t.top), len(t.roots))
		return
	}
	var names []string
	for _, dir := range t.sorted() {
		names = append(names, rootName(dir))
	}
	_, _ = fmt.Fprintf(out, "kratix-schedule: the roots that Flux Kustomizations in %s name are checked: %s\n", printable.Line(t.top), printable.Line(strings.Join(names, ", ")))
}

func (t *fluxTree) isNamed() bool {
	for _, names := range t.roots {
		return len(names) > 0
	}
	return false
}

func (t *fluxTree) sorted() []tree.Path {
	return slices.SortedFunc(maps.Keys(t.roots), tree.Compare)
}

func rootName(dir tree.Path) string {
	if dir.IsRoot() {
		return "."
	}
	return dir.String()
}

func (t *fluxTree) check(ctx context.Context, builder kustomize.Builder, built func(done, all int)) ([]finding.Finding, error) {
	roots, ok := builder.(rootBuilder)
	if !ok {
		roots = buildHere{}
	}
	findings := t.missing()
	done, dirs := 0, t.sorted()
	built(done, len(dirs))
	err := roots.Roots(ctx, dirs, t.files, func(dir tree.Path, root kustomize.BuiltRoot) {
		done++
		built(done, len(dirs))
		t.objects += len(root.Objects)
		findings = append(findings, t.judge(dir, root)...)
	})
	return findings, err
}

// missing returns findings about Flux Kustomizations of this repository whose directory is missing.
func (t *fluxTree) missing() []finding.Finding {
	here := map[any]bool{}
	for i := range t.found {
		if dir, err := t.found[i].dir(); err == nil && t.has(dir) {
			here[t.found[i].Spec.SourceRef] = true
		}
	}
	var findings []finding.Finding
	for i := range t.found {
		k := &t.found[i]
		dir, err := k.dir()
		if err == nil && t.has(dir) || !here[k.Spec.SourceRef] {
			continue
		}
		findings = append(findings, finding.Finding{
			Rule: finding.UnbuildableKustomization(), Place: finding.Place{File: slashed(t.top, k.file.String()), Line: k.line},
			Message: fmt.Sprintf("%s names the directory %s, and there is none: Flux fails for it as a whole", k, k.Spec.Path),
			Fix:     "Correct spec.path, or create the directory.",
		})
	}
	return findings
}

func (t *fluxTree) judge(dir tree.Path, root kustomize.BuiltRoot) []finding.Finding {
	at := "root " + rootName(dir)
	if names := t.roots[dir]; len(names) > 0 {
		at += " (" + strings.Join(names, ", ") + ")"
	}
	place := finding.Place{File: slashed(t.top, t.kustomizationOf(dir))}
	if root.Failed != "" {
		f := finding.Finding{Rule: finding.UnbuildableKustomization(), Place: place, Message: "Flux could not build " + at, Flux: strings.Join(strings.Fields(root.Failed), " ")}
		switch {
		case root.Remote:
			f.Rule, f.Message, f.Flux = finding.UncheckedKustomization(), at+" is not checked: "+root.Failed, ""
		case root.File != "":
			f.Rule, f.Place = finding.UnbuildableFile(), finding.Place{File: slashed(t.top, root.File)}
		case strings.Contains(root.Failed, "already registered id"):
			f.Rule, f.Message = finding.DuplicateObject(), "an object is in "+at+" twice"
		}
		return []finding.Finding{f}
	}
	var findings []finding.Finding
	for _, object := range root.Objects {
		switch fate := object.Outcome; {
		case fate.Unwritable != "":
			rule := finding.UnwritableObject()
			if object.Repeats != nil {
				rule = finding.RepeatedField()
			}
			findings = append(findings, finding.Finding{
				Rule: rule, Place: place, Flux: strings.Join(strings.Fields(fate.Unwritable), " "),
				Message: fmt.Sprintf("%s: Flux can build %s with it, but then cannot serialize or decode it", object.ID, at),
			})
		case fate.NotApplied != "":
			findings = append(findings, finding.Finding{Rule: finding.NotApplied(), Place: place, Message: fmt.Sprintf("Flux would not apply %s of %s: %s", object.ID, at, fate.NotApplied)})
		case fate.Stripped != "":
			findings = append(findings, finding.Finding{Rule: finding.NotApplied(), Place: place, Message: fmt.Sprintf("%s of %s: %s", object.ID, at, fate.Stripped)})
		}
	}
	return findings
}

// kustomizationOf returns the path of the kustomization in a directory, or the directory if it has
// none.
func (t *fluxTree) kustomizationOf(dir tree.Path) string {
	for _, file := range t.files {
		if file.Path.Dir() == dir && kustomize.IsKustomization(file.Path) {
			return file.Path.String()
		}
	}
	return rootName(dir)
}

// addFluxTree checks the roots of a Flux repository. It returns false if nothing was checked.
func (s *checkStores) addFluxTree(ctx context.Context, snapshot *source.Snapshot, std streams, notices io.Writer) (bool, error) {
	if len(snapshot.Works) > 0 || len(snapshot.Destinations) > 0 || s.isLaidOut() {
		return false, nil
	}
	t := s.fluxTree()
	if t == nil {
		return false, nil
	}
	t.print(notices)
	built := s.built
	if built == nil {
		built = func(int, int) {}
	}
	findings, err := t.check(ctx, std.builder, built)
	if err != nil {
		return false, errors.Join(err, ctx.Err())
	}
	s.filesOnly, s.inRoots = true, t.objects
	snapshot.Findings = append(slices.Clone(snapshot.Findings), findings...)
	return true, nil
}
