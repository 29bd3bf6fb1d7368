package kustomize

import (
	"fmt"
	"slices"
)

// Refers tells whether kustomize follows references of objects of a kind. It
// does so at the end of a build, which fails on one that is not made as the
// kind should be.
func Refers(kind string) bool {
	_, found := slices.BinarySearch(referringKinds, kind)
	return found
}

// referringKinds are the kinds for which kustomize has a rule where a name of
// another object may stand, in order.
var referringKinds = []string{ //nolint:gochecknoglobals // a table
	"APIService", "ClusterRole", "ClusterRoleBinding", "CronJob", "DaemonSet", "Deployment", "HorizontalPodAutoscaler",
	"Ingress", "Job", "MutatingWebhookConfiguration", "Node", "PersistentVolume", "PersistentVolumeClaim", "Pod",
	"PodTemplate", "ReplicaSet", "ReplicationController", "Role", "RoleBinding", "Service", "ServiceAccount",
	"StatefulSet", "StorageClass", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
}

// Single gives a file with just one of a file's Objects, by its position among
// them: enough for what kustomize says of it.
func Single(content []byte, position int) ([]byte, error) {
	schema.RLock()
	defer schema.RUnlock()
	found, err := resources(content)
	if err != nil {
		return nil, err
	}
	if position < 0 || position >= len(found) {
		return nil, fmt.Errorf("it has %d objects, and none at %d", len(found), position)
	}
	text, err := found[position].RNode.String()
	return []byte(text), err
}
