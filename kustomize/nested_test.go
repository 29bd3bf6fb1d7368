package kustomize_test

import (
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

const noVariable = "vars:\n- {name: V, objref: {kind: ConfigMap, name: none, apiVersion: v1}}\n"

func TestDirectoryThatFailsLateHasObjects(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec: text\n"
	tests := map[string]struct {
		files []string
		late  bool
		want  []string
	}{
		"nothing fails": {
			[]string{"k/kustomization.yaml", "resources: [m.yaml]\n", "k/m.yaml", testkit.ConfigMaps("a")},
			false, []string{"ConfigMap default/a"},
		},
		"a variable that stands for nothing": {
			[]string{"k/kustomization.yaml", "namePrefix: x-\nresources: [m.yaml]\n" + noVariable, "k/m.yaml", testkit.ConfigMaps("a")},
			true, []string{"ConfigMap default/x-a"},
		},
		"a variable further down, where there is nothing else": {
			[]string{"k/kustomization.yaml", "resources: [m.yaml, v]\n", "k/m.yaml", testkit.ConfigMaps("a"), "k/v/kustomization.yaml", noVariable},
			true, []string{"ConfigMap default/a"},
		},
		"a variable that is written with capitals": {
			[]string{"k/kustomization.yaml", "resources: [m.yaml]\nV" + noVariable[1:], "k/m.yaml", testkit.ConfigMaps("a")},
			true, []string{"ConfigMap default/a"},
		},
		"references in what is not made as its kind should be": {
			[]string{"k/kustomization.yaml", "resources: [m.yaml]\nnamespace: team\n", "k/m.yaml", testkit.ConfigMaps("a") + "---\n" + pod},
			true, []string{"ConfigMap team/a", "Pod team/p"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root, dir := tree.Path{}, testkit.FileList(test.files...)[0].Path.Dir()
			found, err := kustomize.BuildNested(root, dir, testkit.FileList(test.files...))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, object := range found.Objects {
				got = append(got, object.ID.String())
			}
			if slices.Sort(got); !slices.Equal(got, test.want) || found.Late != test.late {
				t.Errorf("got %v, late: %t; want %v, late: %t", got, found.Late, test.want, test.late)
			}
			if failed := kustomize.BuildUnits(root, []tree.Path{dir}, testkit.FileList(test.files...)); (failed != nil) != test.late {
				t.Errorf("the build says %v", failed)
			}
		})
	}
}
