package apply

import (
	"context"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
)

// Version returns the version of the API server: "v1.36.3".
func (s *Schemas) Version(j *Judge) (string, error) {
	client, err := discovery.NewDiscoveryClientForConfig(j.Config)
	if err != nil {
		return "", err
	}
	info, err := client.ServerVersion()
	if err != nil {
		return "", err
	}
	return info.GitVersion, nil
}

// Profile returns the profile of the API server.
func (s *Schemas) Profile(j *Judge, version string) (*applycheck.Profile, error) {
	p := &applycheck.Profile{KubernetesVersion: version}
	for _, kind := range s.Kinds {
		p.Kinds = append(p.Kinds, applycheck.ServedKind{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind, Namespaced: kind.Namespaced})
	}
	namespaces, err := listAll(j, "v1", "NamespaceList")
	if err != nil {
		return nil, err
	}
	for _, namespace := range namespaces {
		p.Namespaces = append(p.Namespaces, namespace.GetName())
	}
	definitions, err := listAll(j, "apiextensions.k8s.io/v1", "CustomResourceDefinitionList")
	if err != nil {
		return nil, err
	}
	for _, definition := range definitions {
		var d apiextensionsv1.CustomResourceDefinition
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(definition.Object, &d); err != nil {
			return nil, err
		}
		p.Definitions = append(p.Definitions, d)
	}
	return p, nil
}

func listAll(j *Judge, apiVersion, kind string) ([]unstructured.Unstructured, error) {
	found := &unstructured.UnstructuredList{}
	found.SetAPIVersion(apiVersion)
	found.SetKind(kind)
	err := j.Client.List(context.Background(), found)
	return found.Items, err
}
