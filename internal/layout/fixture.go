package layout

import (
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Contents of Kratix's canary files. They show whether a cluster applies the objects in its store.
const (
	canaryNamespace = `apiVersion: v1
kind: Namespace
metadata:
  name: kratix-worker-system
spec: {}
status: {}
`
	canaryConfigMap = `apiVersion: v1
data:
  canary: this confirms your infrastructure is reading from Kratix state stores
kind: ConfigMap
metadata:
  name: kratix-info
  namespace: kratix-worker-system
`
)

const (
	placeholder         = ".gitkeep"
	canaryNamespaceFile = "kratix-canary-namespace.yaml"
	canaryConfigMapFile = "kratix-canary-configmap.yaml"
)

// Fixtures returns the files that keep a Destination's roots from being empty: Kratix's canary
// files, or placeholders if the canary files are disabled. Git stores no empty directories, and
// Flux prunes nothing if its directory is missing. An error means that the mode or the path is
// invalid.
func Fixtures(d *kratix.Destination) ([]tree.File, error) {
	roots, err := Roots(d)
	if err != nil {
		return nil, err
	}
	if !d.WantsCanaries() {
		files := make([]tree.File, 0, len(roots))
		for _, root := range roots {
			files = append(files, tree.File{Path: root.Join(segment(placeholder)), Content: []byte{}})
		}
		return files, nil
	}
	// The namespace is in the root that Flux applies first.
	return []tree.File{
		{Path: roots[0].Join(segment(canaryNamespaceFile)), Content: []byte(canaryNamespace)},
		{Path: roots[len(roots)-1].Join(segment(canaryConfigMapFile)), Content: []byte(canaryConfigMap)},
	}, nil
}
