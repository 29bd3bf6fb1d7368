package kustomize_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func TestBuildRootReturnsTheResultOfFlux(t *testing.T) {
	for name, c := range map[string]struct {
		files              map[string]string
		want, failed, file string
	}{
		"an overlay of a base":      {files: map[string]string{"r/kustomization.yaml": "resources: [../base]\nnamePrefix: x-\n", "base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": testkit.ConfigMaps("a")}, want: "ConfigMap default/x-a"},
		"no kustomization":          {files: map[string]string{"r/a.yaml": testkit.ConfigMaps("a"), "r/d/b.yml": testkit.ConfigMaps("b"), "r/c.txt": "x", "other.yaml": testkit.ConfigMaps("a")}, want: "ConfigMap default/a ConfigMap default/b"},
		"one in a directory":        {files: map[string]string{"r/a.yaml": testkit.ConfigMaps("a"), "r/d/kustomization.yaml": "resources: [../../base.yaml]\n", "base.yaml": testkit.ConfigMaps("b"), "r/d/not.yaml": "x"}, want: "ConfigMap default/a ConfigMap default/b"},
		"a file that is no object":  {files: map[string]string{"r/a.yaml": testkit.ConfigMaps("a"), "r/values.yaml": "a: b\n"}, failed: "failed to decode Kubernetes YAML from /r/values.yaml", file: "r/values.yaml"},
		"an object twice":           {files: map[string]string{"r/a.yaml": testkit.ConfigMaps("a"), "r/b.yaml": testkit.ConfigMaps("a")}, failed: "may not add resource with an already registered id"},
		"a resource that is absent": {files: map[string]string{"r/kustomization.yaml": "resources: [a.yaml]\n"}, failed: "kustomize build failed: accumulating resources"},
		"one from elsewhere":        {files: map[string]string{"r/kustomization.yaml": "resources: ['https://example.org/a.yaml']\n"}, failed: "it loads something from outside the store"},
	} {
		t.Run(name, func(t *testing.T) {
			built := kustomize.BuildRoot(testkit.Path("r"), testkit.Files(c.files))
			var got []string
			for _, object := range built.Objects {
				got = append(got, object.ID.String())
			}
			slices.Sort(got)
			if strings.Join(got, " ") != c.want || c.failed == "" != (built.Failed == "") || !strings.Contains(built.Failed, c.failed) || built.File != c.file {
				t.Errorf("got %q, %q, %q", got, built.Failed, built.File)
			}
		})
	}
}
