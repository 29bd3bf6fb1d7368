package kratix

import (
	"encoding/json"
	"fmt"
)

// ShardLabel is the label of a state store with the key of the shard that writes to it. A store
// without the label belongs to the default shard.
const ShardLabel = "sharding.kratix-schedule.io/key"

// DecisionsAnnotation is the annotation of a Work that names the Destinations chosen for its
// groups.
const DecisionsAnnotation = "kratix-schedule.io/decisions"

// MovedFromLabel is the label of a placement that replaces a placement on another Destination. Its
// value is the name of the other Destination.
const MovedFromLabel = "kratix-schedule.io/moved-from"

// Decision is the Destination chosen for a group.
//
// +kubebuilder:object:generate=false
type Decision struct {
	Destination string `json:"destination"`
	// MovedFrom is the former Destination if the group is being moved.
	MovedFrom string `json:"movedFrom,omitempty"`
}

// Decisions returns the recorded decisions by group ID. It returns an error if the annotation is
// invalid.
func (w *Work) Decisions() (map[string]Decision, error) {
	text, there := w.Annotations[DecisionsAnnotation]
	if !there {
		return nil, nil
	}
	var decisions map[string]Decision
	if err := json.Unmarshal([]byte(text), &decisions); err != nil {
		return nil, fmt.Errorf(`the annotation %s is not a JSON object from group ids to {"destination": NAME}; it is ignored: %w`, DecisionsAnnotation, err)
	}
	return decisions, nil
}

// Decide returns the new value of DecisionsAnnotation: the recorded decisions and more. Decisions
// for groups that the Work does not have are dropped.
func (w *Work) Decide(more map[string]Decision) string {
	all := map[string]Decision{}
	before, _ := w.Decisions() // an invalid annotation is replaced
	for _, group := range w.Spec.WorkloadGroups {
		if decision, decided := before[group.ID]; decided {
			all[group.ID] = decision
		}
		if decision, decided := more[group.ID]; decided {
			all[group.ID] = decision
		}
	}
	text, _ := json.Marshal(all) // cannot fail, because there are only strings
	return string(text)
}
