package kustomize

import (
	"fmt"
	"slices"

	"sigs.k8s.io/kustomize/api/resource"
)

// Refers reports whether kustomize may resolve references in an object at the end of a build.
func Refers(object ID) bool {
	_, found := slices.BinarySearch(referringKinds, object.Kind)
	return found && (object.Kind != "Service" || object.APIVersion != coreVersion)
}

// coreVersion is the apiVersion of Kubernetes' own Service, which has no references.
const coreVersion = "v1"

// referringKinds are the sorted kinds with fields that refer to other objects by name.
var referringKinds = []string{ //nolint:gochecknoglobals // a table
	"APIService", "ClusterRole", "ClusterRoleBinding", "CronJob", "DaemonSet", "Deployment", "HorizontalPodAutoscaler",
	"Ingress", "Job", "MutatingWebhookConfiguration", "Node", "PersistentVolume", "PersistentVolumeClaim", "Pod",
	"PodTemplate", "ReplicaSet", "ReplicationController", "Role", "RoleBinding", "Service", "ServiceAccount",
	"StatefulSet", "StorageClass", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
}

// Single returns a file with only the object at a position in the result of Objects.
func Single(content []byte, position int) ([]byte, error) {
	schema.RLock()
	defer schema.RUnlock()
	var text string
	at := 0
	err := eachResource(content, func(res *resource.Resource, _ int) (err error) {
		if at == position {
			text, err = res.RNode.String()
		}
		at++
		return err
	})
	if err == nil && (position < 0 || position >= at) {
		err = fmt.Errorf("it has %d objects, and none at %d", at, position)
	}
	return []byte(text), err
}
