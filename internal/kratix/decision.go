package kratix

import (
	"encoding/json"
	"fmt"
)

// ShardLabel on a state store names the shard that writes to it (--watch-label-selector). A
// store without it belongs to the default shard.
const ShardLabel = "sharding.kratix-schedule.io/key"

// DecisionsAnnotation on a request's Work records the Destinations of its groups if several
// shards divide the state stores. A shard records a decision before it writes a new placement;
// of two concurrent decisions the API server accepts only one.
const DecisionsAnnotation = "kratix-schedule.io/decisions"

// MovedFromLabel marks a placement that replaces one on another Destination, until the old
// placement is gone.
const MovedFromLabel = "kratix-schedule.io/moved-from"

// Decision is the Destination chosen for a group.
//
// +kubebuilder:object:generate=false
type Decision struct {
	Destination string `json:"destination"`
	// MovedFrom is the former Destination if the group moves.
	MovedFrom string `json:"movedFrom,omitempty"`
}

// Decisions returns the recorded Destinations of a Work's groups, by group id.
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

// Decide returns the text of a Work's decisions with more added. It drops the decisions of
// groups that no longer exist.
func (w *Work) Decide(more map[string]Decision) string {
	all := map[string]Decision{}
	before, _ := w.Decisions() // invalid decisions are replaced
	for _, group := range w.Spec.WorkloadGroups {
		if decision, decided := before[group.ID]; decided {
			all[group.ID] = decision
		}
		if decision, decided := more[group.ID]; decided {
			all[group.ID] = decision
		}
	}
	text, _ := json.Marshal(all) // marshalling strings does not fail
	return string(text)
}
