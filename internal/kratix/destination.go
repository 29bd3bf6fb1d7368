package kratix

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Destination is a target that reads from a path of a state store, usually a cluster.
//
// +kubebuilder:object:root=true
type Destination struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   DestinationSpec   `json:"spec,omitempty"`
	Status DestinationStatus `json:"status,omitzero"`
}

// DestinationSpec configures where and how the files of a Destination are written.
type DestinationSpec struct {
	// Path is relative to the store's own path; "/" and "." are the store's path.
	// +required
	Path          string               `json:"path,omitempty"`
	StateStoreRef *StateStoreReference `json:"stateStoreRef,omitempty"`
	// StrictMatchLabels keeps Works without selectors off a Destination that has labels.
	StrictMatchLabels bool `json:"strictMatchLabels,omitempty"`
	// +kubebuilder:default={mode: nestedByMetadata}
	Filepath Filepath `json:"filepath,omitzero"`
	// Cleanup is "all" or "none" (the default): whether the files are deleted together with the
	// Destination.
	// +kubebuilder:validation:Enum=all;none
	// +kubebuilder:default=none
	Cleanup string `json:"cleanup,omitempty"`
	// +kubebuilder:default={}
	InitWorkloads InitWorkloads `json:"initWorkloads,omitzero"`
}

// Filepath is the layout of files.
type Filepath struct {
	// Mode is one of the filepath modes; empty means NestedByMetadata. It is immutable. Since the
	// API server sets the default, an omitted mode cannot be changed later either.
	// +kubebuilder:validation:Enum=nestedByMetadata;aggregatedYAML;none
	// +kubebuilder:default=nestedByMetadata
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="filepath.mode is immutable: create a Destination of another name, or delete this one and create it again"
	Mode string `json:"mode,omitempty"`
	// Filename is the name of the one file in mode AggregatedYAML.
	Filename string `json:"filename,omitempty"`
}

// The filepath modes.
const (
	NestedByMetadata = "nestedByMetadata"
	AggregatedYAML   = "aggregatedYAML"
	None             = "none"
)

// InitWorkloads configures Kratix's canary files.
type InitWorkloads struct {
	// Enabled defaults to true.
	// +kubebuilder:default=true
	Enabled *bool `json:"enabled,omitempty"`
}

// DestinationStatus is the status that the writer sets.
type DestinationStatus struct {
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// DestinationKind is the kind of a Destination.
const DestinationKind = "Destination"

// KindName returns "Destination".
func (*Destination) KindName() string { return DestinationKind }

// FilepathMode returns the filepath mode, NestedByMetadata by default.
func (d *Destination) FilepathMode() string {
	if d.Spec.Filepath.Mode == "" {
		return NestedByMetadata
	}
	return d.Spec.Filepath.Mode
}

// WantsCanaries reports whether Kratix's canary files must be written for the Destination.
func (d *Destination) WantsCanaries() bool {
	return d.Spec.InitWorkloads.Enabled == nil || *d.Spec.InitWorkloads.Enabled
}

// IsDeleted reports whether the Destination is being deleted.
func (d *Destination) IsDeleted() bool { return !d.DeletionTimestamp.IsZero() }

// CleansUp reports whether the files must be deleted together with the Destination.
func (d *Destination) CleansUp() bool { return d.Spec.Cleanup == "all" }

// IsDryRun reports whether the Destination is labelled for dry runs.
func (d *Destination) IsDryRun() bool { return d.Labels[DryRunLabel] == "true" }
