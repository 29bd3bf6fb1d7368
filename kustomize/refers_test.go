package kustomize

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func TestRefersIsFalseForServicesOfTheCoreGroup(t *testing.T) {
	for _, c := range []struct {
		apiVersion, kind string
		want             bool
	}{
		{"v1", "Service", false},
		{"serving.knative.dev/v1", "Service", true},
		{"v1", "Pod", true},
		{"apps/v1", "Deployment", true},
		{"v1", "ConfigMap", false},
	} {
		if got := Refers(ID{APIVersion: c.apiVersion, Kind: c.kind}); got != c.want {
			t.Errorf("Refers(%s %s) = %t", c.apiVersion, c.kind, got)
		}
	}
}

func TestServicesDoNotFailWhenReferencesAreResolved(t *testing.T) {
	const rest = "kind: Service\nmetadata: {name: a}\nspec: {template: x, serviceName: [1], imagePullSecrets: y, rules: {a: b}, volumes: z}\nroleRef: x\nsubjects: y\n"
	var cache Cache
	path, err := tree.ParsePath("a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := Build(tree.Path{}, []tree.File{{Path: path, Content: []byte("apiVersion: v1\n" + rest)}}); err != nil {
		t.Error(err)
	}
	if late := cache.File([]byte("apiVersion: serving.knative.dev/v1\n" + rest)).Late; late == nil {
		t.Error("a Service of Knative with a wrong template has no late error")
	}
}
