package kratix

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Work is a set of manifests to be put on Destinations.
//
// +kubebuilder:object:root=true
type Work struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   WorkSpec   `json:"spec,omitempty"`
	Status WorkStatus `json:"status,omitzero"`
}

// WorkSpec is what a pipeline's run asks for.
type WorkSpec struct {
	LastExecutionTimestamp *metav1.Time    `json:"lastExecutionTimestamp,omitempty"`
	WorkloadGroups         []WorkloadGroup `json:"workloadGroups,omitempty"`
	PromiseName            string          `json:"promiseName,omitempty"`
	// ResourceName is the request's name; empty for a dependency of the Promise.
	ResourceName string `json:"resourceName,omitempty"`
}

// WorkStatus is what the scheduler says of a Work.
type WorkStatus struct {
	Conditions            []metav1.Condition `json:"conditions,omitempty"`
	WorkPlacements        int                `json:"workPlacements,omitempty"`
	WorkPlacementsCreated int                `json:"workPlacementsCreated,omitempty"`
}

// WorkloadGroup is the part of a Work that goes to one Destination together.
type WorkloadGroup struct {
	// ID is GroupID of the directory.
	ID                   string     `json:"id,omitempty"`
	Directory            string     `json:"directory,omitempty"`
	Workloads            []Workload `json:"workloads,omitempty"`
	DestinationSelectors []Selector `json:"destinationSelectors,omitempty"`
}

// Selector asks for labels that a Destination must have.
type Selector struct {
	MatchLabels map[string]string `json:"matchLabels,omitempty"`
	// MatchExpressions ask for more than equality. Kratix does not know them.
	MatchExpressions []metav1.LabelSelectorRequirement `json:"matchExpressions,omitempty"`
	// Source is where the labels were asked for: one of the Source constants.
	Source string `json:"source,omitempty"`
}

// IsEmpty reports whether nothing is asked for.
func (s Selector) IsEmpty() bool { return len(s.MatchLabels) == 0 && len(s.MatchExpressions) == 0 }

// The sources of a Selector.
const (
	PromiseSource          = "promise"
	PromiseWorkflowSource  = "promise-workflow"
	ResourceWorkflowSource = "resource-workflow"
)

// Workload is one file.
type Workload struct {
	Filepath string `json:"filepath,omitempty"`
	// Content is made by Encode.
	Content string `json:"content,omitempty"`
}

// WorkKind is the kind of a Work.
const WorkKind = "Work"

// NewWork makes an empty Work with its kind set.
func NewWork() *Work { return &Work{TypeMeta: typeMeta(WorkKind)} }

// KindName returns "Work".
func (*Work) KindName() string { return WorkKind }

// IsDependency reports whether the Work belongs to a Promise rather than to a
// request: dependencies go to every matching Destination.
func (w *Work) IsDependency() bool { return w.Spec.ResourceName == "" }

// Pipeline returns the name of the pipeline that made the Work, if it is known.
func (w *Work) Pipeline() string { return w.Labels[PipelineNameLabel] }

// Owner names what the Work was made for: "Promise redis" or
// "request default/my-redis of Promise redis".
func (w *Work) Owner() string {
	if w.IsDependency() {
		return "Promise " + w.Spec.PromiseName
	}
	return "request " + Key{w.Namespace, w.Spec.ResourceName}.String() + " of Promise " + w.Spec.PromiseName
}
