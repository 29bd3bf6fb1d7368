package kratix

import (
	"bytes"
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RolloutKind is the kind of a Rollout.
const RolloutKind = "Rollout"

// Annotations of Rollouts. ApproveAnnotation lists the approved waves as "revision/wave", separated
// by commas. AbortAnnotation is the revision to abort.
const (
	ApproveAnnotation = "kratix-schedule.io/approve"
	AbortAnnotation   = "kratix-schedule.io/abort"
)

// Values of RolloutWorks.Type, RolloutSpec.NewDestinations and RolloutSpec.OnFailure, with the
// default first.
const (
	DependenciesType   = "dependencies"
	RequestsType       = "requests"
	LatestDestinations = "latest"
	StableDestinations = "stable"
	StopOnFailure      = "stop"
	RollBackOnFailure  = "rollback"
)

// Rollout brings changes of Works to their Destinations in waves.
//
// +kubebuilder:object:root=true
type Rollout struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   RolloutSpec   `json:"spec,omitempty"`
	Status RolloutStatus `json:"status,omitzero"`
}

// RolloutSpec selects Works, and says in which order their Destinations change.
type RolloutSpec struct {
	Works RolloutWorks `json:"works,omitzero"`
	// Waves are the parts of the Destinations, in their order. A Destination belongs to the first
	// wave that selects it, and those that none selects to a last wave.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Waves []RolloutWave `json:"waves,omitempty"`
	// NewDestinations is the content for Destinations that join during a rollout: the latest one, after
	// all other Destinations, or first the stable one that the others had before.
	// +kubebuilder:validation:Enum=latest;stable
	NewDestinations string `json:"newDestinations,omitempty"`
	// OnFailure is the action if more Destinations of a wave fail than it allows.
	// +kubebuilder:validation:Enum=stop;rollback
	OnFailure string `json:"onFailure,omitempty"`
	// Paused means that no further Destination changes.
	Paused bool `json:"paused,omitempty"`
}

// RolloutWorks selects Works.
type RolloutWorks struct {
	// PromiseName is the Promise of the Works; empty means all Promises.
	PromiseName string `json:"promiseName,omitempty"`
	// Type is the type of the Works, "dependencies" by default.
	// +kubebuilder:validation:Enum=dependencies;requests
	Type string `json:"type,omitempty"`
	// Selector selects Works by their labels.
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// RolloutWave is a part of the Destinations, and what is asked of it.
type RolloutWave struct {
	// +required
	// +kubebuilder:validation:Pattern=`^[^,/\s]+$`
	Name string `json:"name,omitempty"`
	// Destinations selects Destinations by their labels; omitted means all.
	Destinations *metav1.LabelSelector `json:"destinations,omitempty"`
	// MaxConcurrent is how many Destinations, or which part of the wave ("25%"), may be written
	// without having passed the gate. Omitted means all.
	MaxConcurrent IntOrPercent `json:"maxConcurrent,omitempty"`
	// Gate is the required report of a Destination's agent: none (written, the default), that the
	// content is applied, or that it is healthy.
	// +kubebuilder:validation:Enum=written;applied;healthy
	Gate string `json:"gate,omitempty"`
	// Soak is how long the next wave waits after the last Destination has passed the gate.
	Soak string `json:"soak,omitempty"`
	// MaxFailures is how many Destinations of the wave may fail.
	// +kubebuilder:validation:Minimum=0
	MaxFailures int `json:"maxFailures,omitempty"`
	// Deadline is how long a Destination may take to pass the gate, one hour by default.
	Deadline string `json:"deadline,omitempty"`
	// Approval means that the wave begins only after `kratix-schedule rollout approve`.
	Approval bool `json:"approval,omitempty"`
	// Windows are the times in which Destinations of the wave may change; omitted means always.
	// +kubebuilder:validation:MaxItems=32
	Windows []RolloutWindow `json:"windows,omitempty"`
}

// RolloutWindow is a time that comes back.
type RolloutWindow struct {
	// Start has the five fields of cron, such as "0 22 * * 1-5".
	// +required
	Start string `json:"start,omitempty"`
	// Duration is the length of the window, such as 4h.
	// +required
	Duration string `json:"duration,omitempty"`
	// TimeZone is a name such as Europe/Berlin; UTC by default.
	TimeZone string `json:"timeZone,omitempty"`
}

// RolloutStatus is the state of a Rollout.
type RolloutStatus struct {
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Promises are the states for the Works of each Promise.
	Promises []RolloutPromise `json:"promises,omitempty"`
}

// RolloutPromise is the state of a Rollout for the Works of a Promise.
type RolloutPromise struct {
	PromiseName string `json:"promiseName,omitempty"`
	// Revision identifies the wanted contents, for the approval of a wave.
	Revision string              `json:"revision,omitempty"`
	Phase    string              `json:"phase,omitempty"`
	Reason   string              `json:"reason,omitempty"`
	Waves    []RolloutWaveStatus `json:"waves,omitempty"`
}

// RolloutWaveStatus is the state of a wave.
type RolloutWaveStatus struct {
	Name         string `json:"name,omitempty"`
	Destinations int    `json:"destinations,omitempty"`
	Updated      int    `json:"updated,omitempty"`
	InFlight     int    `json:"inFlight,omitempty"`
	Failed       int    `json:"failed,omitempty"`
	Reason       string `json:"reason,omitempty"`
}

// IntOrPercent is a number or a percentage, as text.
//
// +kubebuilder:validation:XIntOrString
type IntOrPercent string

// UnmarshalJSON accepts a number or a string.
func (i *IntOrPercent) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] != '"' && !bytes.Equal(text, []byte("null")) {
		var n json.Number
		if err := json.Unmarshal(text, &n); err != nil {
			return err
		}
		*i = IntOrPercent(n)
		return nil
	}
	var s string
	err := json.Unmarshal(text, &s)
	*i = IntOrPercent(s)
	return err
}

// KindName returns "Rollout".
func (*Rollout) KindName() string { return RolloutKind }
