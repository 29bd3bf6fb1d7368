// +groupName=kratix-schedule.io
// +versionName=v1alpha1
// +kubebuilder:validation:Optional

// Package own contains the CustomResourceDefinitions of this program's own kinds, which Kratix does
// not have. The YAML files in this directory are generated from these types.
package own

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

//go:generate go tool -modfile=../../../go.tool.mod controller-gen crd paths=. output:crd:dir=.
//go:generate go tool -modfile=../../../go.tool.mod controller-gen crd paths=. output:crd:dir=../../charts/kratix-schedule/files/crds/own

// Rollout brings changes of Works to their Destinations in waves.
//
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=rollouts,scope=Cluster,categories=kratix
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Rollout struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   kratix.RolloutSpec   `json:"spec,omitempty"`
	Status kratix.RolloutStatus `json:"status,omitzero"`
}

// OCIStateStore is a part of an OCI registry that files are written to, with a repository for each
// Destination.
//
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=ocistatestores,scope=Cluster,categories=kratix
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.url`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type OCIStateStore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   kratix.OCIStateStoreSpec `json:"spec,omitempty"`
	Status kratix.StateStoreStatus  `json:"status,omitzero"`
}
