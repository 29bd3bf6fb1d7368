package applycheck

import (
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

type check struct {
	Input
	minor *schemas.Minor
	roots []rootFiles
	// definitions are the CustomResourceDefinitions of the Destination.
	definitions definitions
	against     checkedAgainst
}

type rootFiles struct {
	root *dedupe.Root
	// opaque means that a kustomization in the root builds objects that are not known.
	opaque  bool
	foreign []*checkedFile
	claims  []*claimState
}

type claimFiles struct{ wanted, stored []*checkedFile }

type checkedFile struct {
	*dedupe.File
	facts *fileFacts
}

func newCheck(in Input) *check {
	c := &check{Input: in, definitions: definitions{}}
	var err error
	if c.minor, err = in.Cluster.schemas(); err != nil {
		return nil
	}
	if s := in.State; s.roots == nil || len(s.numbers) > maxNeeds {
		s.roots, s.numbers = map[tree.Path]*rootState{}, map[need]int{}
	}
	for i := range in.Roots {
		c.roots = append(c.roots, c.readRoot(&in.Roots[i]))
	}
	maps.DeleteFunc(c.State.roots, func(path tree.Path, _ *rootState) bool {
		return !slices.ContainsFunc(in.Roots, func(r dedupe.Root) bool { return r.Path == path })
	})
	c.findDefinitions()
	c.against = checkedAgainst{cluster: in.Cluster, definitions: c.definitions.digest()}
	return c
}

func (c *check) readRoot(root *dedupe.Root) rootFiles {
	if root.Cache == nil {
		with := *root
		with.Cache = &kustomize.Cache{}
		root = &with
	}
	built := builtDirs(root, root.Foreign)
	r := rootFiles{root: root, opaque: len(built) > 0}
	r.foreign, _ = c.read(root, root.Foreign, nil)
	r.claims = c.states(root, built)
	for _, s := range r.claims {
		r.opaque = r.opaque || s.opaque
	}
	return r
}

func builtDirs(root *dedupe.Root, files []dedupe.File) (built []tree.Path) {
	for i := range files {
		if kustomize.IsKustomization(files[i].Path) && !root.Ignored.Has(files[i].Path) {
			built = append(built, files[i].Path.Dir())
		}
	}
	return built
}

// readable returns the files that Flux reads as objects, without those in directories with a
// kustomization. others are the directories of further kustomizations. opaque reports whether one
// of the files is a kustomization.
func readable(root *dedupe.Root, files []dedupe.File, others []tree.Path) (_ []*dedupe.File, opaque bool) {
	built := builtDirs(root, files)
	opaque = len(built) > 0
	built = append(built, others...)
	some := make([]*dedupe.File, 0, len(files))
	for i := range files {
		path := files[i].Path
		if kustomize.Loads(path) && !root.Ignored.Has(path) && !slices.ContainsFunc(built, path.Within) {
			some = append(some, &files[i])
		}
	}
	return some, opaque
}

func (c *check) read(root *dedupe.Root, files []dedupe.File, others []tree.Path) (_ []*checkedFile, opaque bool) {
	some, opaque := readable(root, files, others)
	read := make([]*checkedFile, 0, len(some))
	for _, file := range some {
		read = append(read, &checkedFile{File: file, facts: c.file(root.Cache, file.Content)})
	}
	return read, opaque
}

// findDefinitions collects the CustomResourceDefinitions of all files, and those of the profile for
// the kinds that no file defines.
func (c *check) findDefinitions() {
	for i := range c.roots {
		r := &c.roots[i]
		c.addDefinitions(r, r.foreign)
		for _, s := range r.claims {
			if s.providesWanted {
				c.addDefinitions(r, s.wanted)
			}
			if s.providesStored {
				c.addDefinitions(r, s.stored)
			}
		}
	}
	for _, s := range c.Cluster.sources {
		if len(c.definitions[s.GroupKind]) == 0 {
			c.definitions.add(s)
		}
	}
	c.definitions.sort()
}

func (c *check) addDefinitions(r *rootFiles, files []*checkedFile) {
	for _, file := range files {
		for i := range file.facts.objects {
			o := &file.facts.objects[i]
			if o.defines != nil && o.applied {
				c.definitions.add(&source{definedKind: o.defines, file: file.facts.digest, content: file.Content, cache: r.root.Cache, position: i})
			}
		}
	}
}
