// +groupName=platform.kratix.io
// +versionName=v1alpha1
// +kubebuilder:validation:Optional

// Package crds contains the CustomResourceDefinitions for use without Kratix: the kinds of
// platform.kratix.io/v1alpha1 that are needed to place and write Works, with Kratix's own names.
// The YAML files in this directory are generated from these types. Where Kratix is installed, its
// own definitions apply, and these must not be used.
package crds

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

//go:generate go tool -modfile=../../go.tool.mod controller-gen crd paths=. output:crd:dir=.
//go:generate go tool -modfile=../../go.tool.mod controller-gen crd paths=. output:crd:dir=../charts/kratix-schedule/files/crds

// Work is a set of manifests to be put on Destinations.
//
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=works,categories=kratix
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Conflict-free",type=string,JSONPath=`.status.conditions[?(@.type=="ConflictFree")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Work struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   kratix.WorkSpec   `json:"spec,omitempty"`
	Status kratix.WorkStatus `json:"status,omitzero"`
}

// WorkPlacement records that one group of a Work is on one Destination.
//
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=workplacements,shortName=wp;wps,categories=kratix
// +kubebuilder:printcolumn:name="Destination",type=string,JSONPath=`.spec.targetDestinationName`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Conflict-free",type=string,JSONPath=`.status.conditions[?(@.type=="ConflictFree")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type WorkPlacement struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   kratix.WorkPlacementSpec   `json:"spec,omitempty"`
	Status kratix.WorkPlacementStatus `json:"status,omitzero"`
}

// Destination is a target that reads from a path of a state store, usually a cluster.
//
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=destinations,scope=Cluster,shortName=dest;dests,categories=kratix
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Conflict-free",type=string,JSONPath=`.status.conditions[?(@.type=="ConflictFree")].status`
type Destination struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   kratix.DestinationSpec   `json:"spec,omitempty"`
	Status kratix.DestinationStatus `json:"status,omitzero"`
}

// GitStateStore is a branch of a git repository that files are written to.
//
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=gitstatestores,scope=Cluster,categories=kratix
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type GitStateStore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   kratix.GitStateStoreSpec `json:"spec,omitempty"`
	Status kratix.StateStoreStatus  `json:"status,omitzero"`
}

// BucketStateStore is an S3 bucket that files are written to.
//
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=bucketstatestores,scope=Cluster,categories=kratix
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type BucketStateStore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   kratix.BucketStateStoreSpec `json:"spec,omitempty"`
	Status kratix.StateStoreStatus     `json:"status,omitzero"`
}
