package kratix

import (
	"encoding/json"
	"fmt"
)

// ShardLabel is a label of a state store. Its value is the key of the shard that writes to the
// store (--watch-label-selector). A store without the label belongs to the default shard.
const ShardLabel = "sharding.kratix-schedule.io/key"

// DecisionsAnnotation is an annotation of a request's Work. It has the Destinations of the Work's
// groups, if several shards divide the state stores. A shard records a decision before it writes a
// new placement. If two shards decide at the same time, the API server accepts only one of the two
// updates.
const DecisionsAnnotation = "kratix-schedule.io/decisions"

// MovedFromLabel is a label of a placement that replaces one on another Destination. Its value is
// the other Destination. It is removed once the old placement is gone.
const MovedFromLabel = "kratix-schedule.io/moved-from"

// Decision is the Destination chosen for a group.
//
// +kubebuilder:object:generate=false
type Decision struct {
	Destination string `json:"destination"`
	// MovedFrom is the former Destination if the group is being moved.
	MovedFrom string `json:"movedFrom,omitempty"`
}

// Decisions returns the recorded decisions by the ID of the group. It returns an error if the
// annotation cannot be parsed.
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

// Decide returns the value of DecisionsAnnotation with the decisions in more added. Decisions of
// groups that no longer exist are dropped.
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
