package kube

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// list is a list of any kind, as the API answers.
type list[T any] struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []T `json:"items"`
}

// DeepCopyObject is asked for by the Kubernetes client, which never calls it for
// lists: items are handed on one by one.
func (l *list[T]) DeepCopyObject() runtime.Object {
	made := *l
	made.Items = append([]T(nil), l.Items...)
	return &made
}

// clients are the two groups of the API that are read.
type clients struct{ platform, core rest.Interface }

func connect(config *rest.Config) (clients, error) {
	platform := schema.GroupVersion{Group: "platform.kratix.io", Version: "v1alpha1"}
	core := schema.GroupVersion{Version: "v1"}
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(platform, &kratix.Work{}, &kratix.WorkPlacement{}, &kratix.Destination{}, &kratix.GitStateStore{}, &kratix.BucketStateStore{})
	for kind, empty := range map[string]runtime.Object{
		kratix.WorkKind: &list[kratix.Work]{}, kratix.WorkPlacementKind: &list[kratix.WorkPlacement]{},
		kratix.DestinationKind: &list[kratix.Destination]{}, kratix.GitStateStoreKind: &list[kratix.GitStateStore]{},
		kratix.BucketStateStoreKind: &list[kratix.BucketStateStore]{},
	} {
		scheme.AddKnownTypeWithName(platform.WithKind(kind+"List"), empty)
	}
	scheme.AddKnownTypes(core, &kratix.Secret{})
	scheme.AddKnownTypeWithName(core.WithKind("SecretList"), &list[kratix.Secret]{})
	metav1.AddToGroupVersion(scheme, platform)
	metav1.AddToGroupVersion(scheme, core)

	codecs := serializer.NewCodecFactory(scheme).WithoutConversion()
	open := func(version schema.GroupVersion, path string) (rest.Interface, error) {
		own := rest.CopyConfig(config)
		own.GroupVersion, own.APIPath, own.NegotiatedSerializer = &version, path, codecs
		own.ContentType = runtime.ContentTypeJSON
		return rest.RESTClientFor(own)
	}
	var opened clients
	var err error
	if opened.platform, err = open(platform, "/apis"); err == nil {
		opened.core, err = open(core, "/api")
	}
	if err != nil {
		return clients{}, fmt.Errorf("connect to the Kubernetes API: %w", err)
	}
	return opened, nil
}
