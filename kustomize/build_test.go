package kustomize_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func idConflict(dir, file, id string) string {
	return "kustomize build failed: accumulating resources: accumulation err='merging resources from './" + file +
		"': may not add resource with an already registered id: " + id +
		"': must build at directory: '" + dir + "/" + file + "': file is not directory"
}

func TestBuildReturnsFluxsError(t *testing.T) {
	const dir = "/worker-1/resources"
	crd := "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: agents.agent.k8s.elastic.co}\n"
	tests := map[string]struct {
		files []string
		want  string
	}{
		"nothing":            {nil, ""},
		"objects":            {[]string{"a.yaml", testkit.ConfigMaps("a"), "b.yaml", testkit.ConfigMaps("b")}, ""},
		"an empty file":      {[]string{"a.yaml", "", "b.yaml", testkit.ConfigMaps("b")}, ""},
		"only comments":      {[]string{"a.yaml", "# nothing\n---\n# here\n", "b.yaml", testkit.ConfigMaps("b")}, ""},
		"one of each kind":   {[]string{"a.yaml", testkit.ConfigMaps("a"), "b.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"}, ""},
		"another version":    {[]string{"a.yaml", "apiVersion: x.com/v1\nkind: A\nmetadata: {name: a}\n", "b.yaml", "apiVersion: x.com/v2\nkind: A\nmetadata: {name: a}\n"}, ""},
		"another namespace":  {[]string{"a.yaml", testkit.ConfigMaps("a"), "b.yaml", testkit.ConfigMaps("a") + "  namespace: team\n"}, ""},
		"one id, no space":   {[]string{"a.yaml", testkit.ConfigMaps("a"), "b/c.yaml", testkit.ConfigMaps("a")}, idConflict(dir, "b/c.yaml", "ConfigMap.v1.[noGrp]/a.[noNs]")},
		"one id, namespaced": {[]string{"a.yaml", testkit.ConfigMaps("a") + "  namespace: team\n", "b.yaml", testkit.ConfigMaps("a") + "  namespace: team\n"}, idConflict(dir, "b.yaml", "ConfigMap.v1.[noGrp]/a.team")},
		"a group, no namespace": {
			[]string{"default/example/crds.yaml", crd, "default/second/crds.yaml", crd},
			idConflict(dir, "default/second/crds.yaml", "CustomResourceDefinition.v1.apiextensions.k8s.io/agents.agent.k8s.elastic.co.[noNs]"),
		},
		"a namespace unset is default": {
			[]string{"a.yaml", testkit.ConfigMaps("a") + "  namespace: default\n", "b.yaml", testkit.ConfigMaps("a")},
			idConflict(dir, "b.yaml", "ConfigMap.v1.[noGrp]/a.[noNs]"),
		},
		"default is a namespace unset": {
			[]string{"a.yaml", testkit.ConfigMaps("a"), "b.yaml", testkit.ConfigMaps("a") + "  namespace: default\n"},
			idConflict(dir, "b.yaml", "ConfigMap.v1.[noGrp]/a.default"),
		},
		"equal items in a list": {
			[]string{"a.yaml", listHead + item("a") + item("a")},
			strings.Replace(idConflict(dir, "a.yaml", "ConfigMap.v1.[noGrp]/a.[noNs]"), "err='merging", "err='accumulating", 1),
		},
		"only the first conflict is named": {
			[]string{"a.yaml", testkit.ConfigMaps("a") + "---\n" + testkit.ConfigMaps("b"), "b.yaml", testkit.ConfigMaps("b") + "---\n" + testkit.ConfigMaps("a")},
			idConflict(dir, "b.yaml", "ConfigMap.v1.[noGrp]/b.[noNs]"),
		},
		"a values file": {
			[]string{"a.yaml", testkit.ConfigMaps("a"), "b.yaml", "replicas: 3\n"},
			"failed to decode Kubernetes YAML from /worker-1/resources/b.yaml: missing Resource metadata",
		},
		"generateName without a name": {
			[]string{"a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\n"},
			"failed to decode Kubernetes YAML from /worker-1/resources/a.yaml: missing metadata.name in object {{v1 Pod} {{ } map[] map[]}}",
		},
		"an anchor that contains itself": {
			[]string{"a.yaml", "a: &a [*a]\n"},
			"failed to decode Kubernetes YAML from /worker-1/resources/a.yaml: the anchor &a contains itself, which kustomize would follow without end",
		},
		"malformed YAML": {
			[]string{"a.yaml", "a: [\n"},
			"failed to decode Kubernetes YAML from /worker-1/resources/a.yaml: MalformedYAMLError: yaml: line 1: did not find expected node content",
		},
		"a file that cannot be read goes before a conflict": {
			[]string{"a.yaml", testkit.ConfigMaps("a"), "b.yaml", testkit.ConfigMaps("a"), "c.yaml", "hello\n"},
			"failed to decode Kubernetes YAML from /worker-1/resources/c.yaml: missing Resource metadata",
		},
	}
	root, err := tree.ParseDir("worker-1/resources")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			laid := testkit.FileList(test.files...)
			var got string
			err := kustomize.Build(root, laid)
			if err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			conflicts := duplicates(laid)
			if errors.Is(err, kustomize.ErrBuild) != conflicts {
				t.Errorf("the ids say that there is a conflict: %t; the build says %v", conflicts, err)
			}
		})
	}
}

func duplicates(files []tree.File) bool {
	seen := map[kustomize.ID]bool{}
	found := false
	for _, file := range files {
		objects, err := kustomize.Objects(file.Content)
		if err != nil {
			return false
		}
		for _, object := range objects {
			found = found || seen[object.ID]
			seen[object.ID] = true
		}
	}
	return found
}

func TestBuildOfTheRepositoryRoot(t *testing.T) {
	err := kustomize.Build(tree.Path{}, testkit.FileList("a.yaml", testkit.ConfigMaps("a"), "b.yaml", testkit.ConfigMaps("a")))
	want := idConflict("/root", "b.yaml", "ConfigMap.v1.[noGrp]/a.[noNs]")
	if !errors.Is(err, kustomize.ErrBuild) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestRepeatedBuildReturnsTheSameError(t *testing.T) {
	laid := testkit.FileList("a.yaml", testkit.ConfigMaps("a"), "b.yaml", testkit.ConfigMaps("a"))
	first, second := kustomize.Build(tree.Path{}, laid), kustomize.Build(tree.Path{}, laid)
	if first == nil || second == nil || first.Error() != second.Error() {
		t.Errorf("first %v, then %v", first, second)
	}
}
