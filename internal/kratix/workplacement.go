package kratix

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// WorkPlacement records that one group of a Work is on one Destination.
//
// +kubebuilder:object:root=true
type WorkPlacement struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   WorkPlacementSpec   `json:"spec,omitempty"`
	Status WorkPlacementStatus `json:"status,omitzero"`
}

// WorkPlacementSpec is the group that is placed, with its files and Destination.
type WorkPlacementSpec struct {
	TargetDestinationName string     `json:"targetDestinationName,omitempty"`
	Workloads             []Workload `json:"workloads,omitempty"`
	PromiseName           string     `json:"promiseName,omitempty"`
	ResourceName          string     `json:"resourceName,omitempty"`
	// ID is the group's id.
	ID string `json:"id,omitempty"`
	// Generation is the generation of the Work.
	Generation int64 `json:"generation,omitempty"`
}

// SamePlacement reports whether two specs have the same Destination, Promise, request and group ID.
func (s WorkPlacementSpec) SamePlacement(other WorkPlacementSpec) bool {
	return s.TargetDestinationName == other.TargetDestinationName && s.PromiseName == other.PromiseName &&
		s.ResourceName == other.ResourceName && s.ID == other.ID
}

// SameContents reports whether two specs are equal except for the generation.
func (s WorkPlacementSpec) SameContents(other WorkPlacementSpec) bool {
	return s.SamePlacement(other) && slices.Equal(s.Workloads, other.Workloads)
}

// WorkPlacementStatus is the status that the writer sets.
type WorkPlacementStatus struct {
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// VersionID is the commit that contains the placement, in a git store.
	VersionID string `json:"versionID,omitempty"`
}

// WorkPlacementKind is the kind of a WorkPlacement.
const WorkPlacementKind = "WorkPlacement"

// NewWorkPlacement returns a placement of a Work's group on a Destination.
func NewWorkPlacement(work *Work, group *WorkloadGroup, destination string) *WorkPlacement {
	placement := &WorkPlacement{TypeMeta: typeMeta(WorkPlacementKind)}
	placement.Name = PlacementName(work.Name, destination, group.ID)
	placement.Namespace = work.Namespace
	placement.Labels = map[string]string{
		WorkLabel:              work.Name,
		WorkloadGroupIDLabel:   group.ID,
		TargetDestinationLabel: destination,
	}
	if pipeline := work.Pipeline(); pipeline != "" {
		placement.Labels[PipelineNameLabel] = pipeline
	}
	placement.Spec = WorkPlacementSpec{
		TargetDestinationName: destination,
		Workloads:             group.Workloads,
		PromiseName:           work.Spec.PromiseName,
		ResourceName:          work.Spec.ResourceName,
		ID:                    group.ID,
		Generation:            work.Generation,
	}
	return placement
}

// PlacementName returns the name of the placement of a Work's group on a Destination:
// "<work>.<destination>-<short ID of the group>".
func PlacementName(work, destination, groupID string) string {
	return work + "." + destination + "-" + ShortID(groupID)
}

// KindName returns "WorkPlacement".
func (*WorkPlacement) KindName() string { return WorkPlacementKind }

// Work returns the key of the placed Work.
func (p *WorkPlacement) Work() Key { return Key{p.Namespace, p.Labels[WorkLabel]} }

// Pipeline returns the name of the pipeline that created the Work, or "" if it is not known.
func (p *WorkPlacement) Pipeline() string { return p.Labels[PipelineNameLabel] }

// IsDependency reports whether the placement belongs to a Promise and not to a request.
func (p *WorkPlacement) IsDependency() bool { return p.Spec.ResourceName == "" }
