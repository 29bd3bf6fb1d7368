package kube

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type clients struct{ platform, own, core rest.Interface }

func connect(config *rest.Config) (clients, error) {
	platform := schema.GroupVersion{Group: "platform.kratix.io", Version: "v1alpha1"}
	own := schema.GroupVersion{Group: "kratix-schedule.io", Version: "v1alpha1"}
	core := schema.GroupVersion{Version: "v1"}
	scheme := runtime.NewScheme()
	register[kratix.Work](scheme, platform, kratix.WorkKind)
	register[kratix.WorkPlacement](scheme, platform, kratix.WorkPlacementKind)
	register[kratix.Destination](scheme, platform, kratix.DestinationKind)
	register[kratix.GitStateStore](scheme, platform, kratix.GitStateStoreKind)
	register[kratix.BucketStateStore](scheme, platform, kratix.BucketStateStoreKind)
	register[kratix.OCIStateStore](scheme, own, kratix.OCIStateStoreKind)
	register[kratix.Rollout](scheme, own, kratix.RolloutKind)
	register[kratix.Secret](scheme, core, kratix.SecretKind)
	register[profileMap](scheme, core, profile.ConfigMapKind)
	metav1.AddToGroupVersion(scheme, platform)
	metav1.AddToGroupVersion(scheme, own)
	metav1.AddToGroupVersion(scheme, core)

	codecs := watchCodec{serializer.NewCodecFactory(scheme).WithoutConversion(), scheme}
	open := func(version schema.GroupVersion, path string) (rest.Interface, error) {
		copied := rest.CopyConfig(config)
		copied.GroupVersion, copied.APIPath, copied.NegotiatedSerializer = &version, path, codecs
		copied.ContentType = runtime.ContentTypeJSON
		return rest.RESTClientFor(copied)
	}
	var opened clients
	var err error
	if opened.platform, err = open(platform, "/apis"); err == nil {
		opened.own, err = open(own, "/apis")
	}
	if err == nil {
		opened.core, err = open(core, "/api")
	}
	if err != nil {
		return clients{}, fmt.Errorf("connect to the Kubernetes API: %w", err)
	}
	return opened, nil
}
