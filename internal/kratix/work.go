package kratix

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Work is a set of manifests to be placed on Destinations.
//
// +kubebuilder:object:root=true
type Work struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   WorkSpec   `json:"spec,omitempty"`
	Status WorkStatus `json:"status,omitzero"`
}

// WorkSpec is the result of a pipeline run.
type WorkSpec struct {
	LastExecutionTimestamp *metav1.Time    `json:"lastExecutionTimestamp,omitempty"`
	WorkloadGroups         []WorkloadGroup `json:"workloadGroups,omitempty"`
	PromiseName            string          `json:"promiseName,omitempty"`
	// ResourceName is the request's name; empty for a dependency of the Promise.
	ResourceName string `json:"resourceName,omitempty"`
}

// WorkStatus is the status that the scheduler sets.
type WorkStatus struct {
	Conditions            []metav1.Condition `json:"conditions,omitempty"`
	WorkPlacements        int                `json:"workPlacements,omitempty"`
	WorkPlacementsCreated int                `json:"workPlacementsCreated,omitempty"`
}

// WorkloadGroup is a set of files that are placed on the same Destination.
type WorkloadGroup struct {
	// ID is the hexadecimal MD5 hash of the name of the directory.
	ID                   string     `json:"id,omitempty"`
	Directory            string     `json:"directory,omitempty"`
	Workloads            []Workload `json:"workloads,omitempty"`
	DestinationSelectors []Selector `json:"destinationSelectors,omitempty"`
}

// Selector is a set of requirements that the labels of a Destination must meet.
type Selector struct {
	MatchLabels map[string]string `json:"matchLabels,omitempty"`
	// MatchExpressions are an extension; Kratix itself has only MatchLabels.
	MatchExpressions []metav1.LabelSelectorRequirement `json:"matchExpressions,omitempty"`
	// Source is one of the Source constants.
	Source string `json:"source,omitempty"`
}

// IsEmpty reports whether the selector has no requirements.
func (s Selector) IsEmpty() bool { return len(s.MatchLabels) == 0 && len(s.MatchExpressions) == 0 }

// The values of Selector.Source.
const (
	PromiseSource          = "promise"
	PromiseWorkflowSource  = "promise-workflow"
	ResourceWorkflowSource = "resource-workflow"
)

// Workload is one file.
type Workload struct {
	Filepath string `json:"filepath,omitempty"`
	// Content is the file, compressed with gzip and encoded in base64.
	Content string `json:"content,omitempty"`
}

// WorkKind is the kind of a Work.
const WorkKind = "Work"

// NewWork returns an empty Work with its kind set.
func NewWork() *Work { return &Work{TypeMeta: typeMeta(WorkKind)} }

// KindName returns "Work".
func (*Work) KindName() string { return WorkKind }

// IsDependency reports whether the Work belongs to a Promise and not to a request.
func (w *Work) IsDependency() bool { return w.Spec.ResourceName == "" }

// Pipeline returns the name of the pipeline that created the Work, or "" if it is not known.
func (w *Work) Pipeline() string { return w.Labels[PipelineNameLabel] }

// Owner returns the Work's Promise or request as text: "Promise redis" or "request default/my-redis
// of Promise redis".
func (w *Work) Owner() string {
	if w.IsDependency() {
		return "Promise " + w.Spec.PromiseName
	}
	return "request " + Key{w.Namespace, w.Spec.ResourceName}.String() + " of Promise " + w.Spec.PromiseName
}
