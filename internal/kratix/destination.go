package kratix

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Destination is a place that pulls from a path of a state store: a cluster,
// most often.
//
// +kubebuilder:object:root=true
type Destination struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   DestinationSpec   `json:"spec,omitempty"`
	Status DestinationStatus `json:"status,omitzero"`
}

// DestinationSpec says where and how files for a Destination are written.
type DestinationSpec struct {
	// Path is below the store's own path; "/" and "." are the store's path.
	// +required
	Path          string               `json:"path,omitempty"`
	StateStoreRef *StateStoreReference `json:"stateStoreRef,omitempty"`
	// StrictMatchLabels keeps Works without selectors away from a labelled
	// Destination.
	StrictMatchLabels bool `json:"strictMatchLabels,omitempty"`
	// +kubebuilder:default={mode: nestedByMetadata}
	Filepath Filepath `json:"filepath,omitzero"`
	// Cleanup is "all" or "none" (the default): what happens to the files when
	// the Destination goes.
	// +kubebuilder:validation:Enum=all;none
	// +kubebuilder:default=none
	Cleanup string `json:"cleanup,omitempty"`
	// +kubebuilder:default={}
	InitWorkloads InitWorkloads `json:"initWorkloads,omitzero"`
}

// Filepath says how files are laid out.
type Filepath struct {
	// Mode is one of the mode constants; empty means NestedByMetadata. It is
	// immutable. The API server fills it in, so that it cannot be added later either.
	// +kubebuilder:validation:Enum=nestedByMetadata;aggregatedYAML;none
	// +kubebuilder:default=nestedByMetadata
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="filepath.mode is immutable: create a Destination of another name, or delete this one and create it anew"
	Mode string `json:"mode,omitempty"`
	// Filename is that of the one file in mode AggregatedYAML.
	Filename string `json:"filename,omitempty"`
}

// The filepath modes.
const (
	NestedByMetadata = "nestedByMetadata"
	AggregatedYAML   = "aggregatedYAML"
	None             = "none"
)

// InitWorkloads says whether a Destination starts with Kratix's canary files.
type InitWorkloads struct {
	// Enabled defaults to true.
	// +kubebuilder:default=true
	Enabled *bool `json:"enabled,omitempty"`
}

// DestinationStatus is what the writer says of a Destination.
type DestinationStatus struct {
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// DestinationKind is the kind of a Destination.
const DestinationKind = "Destination"

// KindName returns "Destination".
func (*Destination) KindName() string { return DestinationKind }

// FilepathMode returns the mode, with its default.
func (d *Destination) FilepathMode() string {
	if d.Spec.Filepath.Mode == "" {
		return NestedByMetadata
	}
	return d.Spec.Filepath.Mode
}

// WantsCanaries reports whether Kratix's canary files belong to the Destination.
func (d *Destination) WantsCanaries() bool {
	return d.Spec.InitWorkloads.Enabled == nil || *d.Spec.InitWorkloads.Enabled
}

// IsDeleted reports whether the Destination is being deleted.
func (d *Destination) IsDeleted() bool { return !d.DeletionTimestamp.IsZero() }

// CleansUp reports whether the files go with the Destination.
func (d *Destination) CleansUp() bool { return d.Spec.Cleanup == "all" }

// IsDryRun reports whether only Works labelled as dry runs go here.
func (d *Destination) IsDryRun() bool { return d.Labels[DryRunLabel] == "true" }
