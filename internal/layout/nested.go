package layout

import (
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Directories of mode nestedByMetadata. Flux applies dependencies first.
const (
	dependenciesDir = "dependencies"
	resourcesDir    = "resources"
)

func nestedRoots(base tree.Path) []tree.Path {
	return []tree.Path{base.Join(segment(dependenciesDir)), base.Join(segment(resourcesDir))}
}

// renderNested renders a placement in mode nestedByMetadata, in which each group has its own
// directory.
func renderNested(_ *kratix.Destination, base tree.Path, p *kratix.WorkPlacement, files []File) (Rendering, error) {
	root, dir, err := nestedDir(base, p)
	if err != nil {
		return Rendering{Root: root}, err
	}
	return Rendering{Root: root, Dir: dir, Files: below(dir, files)}, nil
}

// nestedDir returns the root and the directory of a group in mode nestedByMetadata:
//
//	dependencies/<promise>/<pipeline>/<id5>
//	resources/<namespace>/<promise>/<resource>/<pipeline>/<id5>
//
// The pipeline is omitted if it is not known.
func nestedDir(base tree.Path, p *kratix.WorkPlacement) (root, dir tree.Path, err error) {
	top := resourcesDir
	segments := []named{{"metadata.namespace", p.Namespace}, {"spec.promiseName", p.Spec.PromiseName}, {"spec.resourceName", p.Spec.ResourceName}}
	if p.IsDependency() {
		top = dependenciesDir
		segments = []named{{"spec.promiseName", p.Spec.PromiseName}}
	}
	if pipeline := p.Pipeline(); pipeline != "" {
		segments = append(segments, named{"label " + kratix.PipelineNameLabel, pipeline})
	}
	segments = append(segments, named{"a workload group's id", kratix.ShortID(p.Spec.ID)})

	root = base.Join(segment(top))
	dir = root
	for _, s := range segments {
		one, err := s.path()
		if err != nil {
			return root, dir, err
		}
		dir = dir.Join(one)
	}
	return root, dir, nil
}

// PathOf returns the path at which the files of a placement are, relative to the path of the store:
// the directory of the placement, the joined file, or the directory of the Destination, depending
// on the mode. An error means that the mode or a path is invalid.
func PathOf(d *kratix.Destination, p *kratix.WorkPlacement) (tree.Path, error) {
	base, err := Base(d)
	if err != nil {
		return base, err
	}
	switch d.FilepathMode() {
	case kratix.NestedByMetadata:
		_, dir, err := nestedDir(base, p)
		return dir, err
	case kratix.AggregatedYAML:
		return joined(d, base)
	case kratix.None:
		return base, nil
	}
	return base, ErrMode(d.FilepathMode())
}

// named is a value of a field that becomes one element of a path.
type named struct{ field, value string }

func (n named) path() (tree.Path, error) {
	p, err := tree.ParsePath(n.value)
	if err != nil {
		return p, fmt.Errorf("%s: %w", n.field, err)
	}
	if _, rest := p.Cut(); !rest.IsRoot() {
		return p, fmt.Errorf("%s: %w %q: it must not hold a slash", n.field, tree.ErrPath, n.value)
	}
	return p, nil
}

func segment(name string) tree.Path {
	p, err := tree.ParsePath(name)
	if err != nil {
		panic(err) // cannot happen, because the name is a constant or a hexadecimal digest
	}
	return p
}
