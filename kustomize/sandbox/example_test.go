package sandbox_test

import (
	"fmt"
	"os"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize/sandbox"
)

// The example program starts itself as the build process: its main function calls [sandbox.Serve]
// if its only argument is [sandbox.Argument].
func ExampleBuilder() {
	files := testkit.FileList("app/kustomization.yaml", "namePrefix: dev-\nresources: [map.yaml]\n", "app/map.yaml", testkit.ConfigMaps("settings"))
	builder := sandbox.Builder{Program: os.Args[0], Memory: 512 << 20}
	nested, err := builder.Nested(tree.Path{}, testkit.Path("app"), files)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(nested.Objects[0].ID)
	// Output:
	// ConfigMap default/dev-settings
}
