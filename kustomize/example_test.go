package kustomize_test

import (
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func ExampleObjects() {
	objects, err := kustomize.Objects([]byte(`apiVersion: v1
kind: Namespace
metadata: {name: team}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team}
`))
	if err != nil {
		fmt.Println(err)
	}
	for _, object := range objects {
		fmt.Printf("line %d: %s\n", object.Line, object.ID)
	}
	// Output:
	// line 1: Namespace team
	// line 5: Deployment team/web
}

// An object that occurs twice makes the build of the whole root fail with Flux's message.
func ExampleBuild() {
	files := testkit.FileList("a.yaml", testkit.ConfigMaps("settings"), "b.yaml", testkit.ConfigMaps("settings"))
	fmt.Println(kustomize.Build(tree.Path{}, files))
	// Output:
	// kustomize build failed: accumulating resources: accumulation err='merging resources from './b.yaml': may not add resource with an already registered id: ConfigMap.v1.[noGrp]/settings.[noNs]': must build at directory: '/root/b.yaml': file is not directory
}

// The build of a directory with a kustomization returns the objects that the directory adds to a
// root.
func ExampleBuildNested() {
	files := testkit.FileList("app/kustomization.yaml", "namePrefix: dev-\nresources: [map.yaml]\n", "app/map.yaml", testkit.ConfigMaps("settings"))
	nested, err := kustomize.BuildNested(tree.Path{}, testkit.Path("app"), files)
	fmt.Println(nested.Objects[0].ID, err)
	// Output:
	// ConfigMap default/dev-settings <nil>
}
