package kratix

import (
	"encoding/json"
	"fmt"
)

// ShardLabel of a state store names the shard that writes to it, where several divide
// the state stores (--watch-label-selector). One without it belongs to the default shard.
const ShardLabel = "sharding.kratix-schedule.io/key"

// DecisionsAnnotation of a request's Work says where its groups go, where several shards
// divide the state stores: none writes a new placement before it is said there. The API
// server takes only one of two that decide at once.
const DecisionsAnnotation = "kratix-schedule.io/decisions"

// MovedFromLabel marks a placement that takes the place of one on another
// Destination, until that one is gone.
const MovedFromLabel = "kratix-schedule.io/moved-from"

// Decision is where a group goes.
//
// +kubebuilder:object:generate=false
type Decision struct {
	Destination string `json:"destination"`
	// MovedFrom is the Destination that the group moves away from, if it moves.
	MovedFrom string `json:"movedFrom,omitempty"`
}

// Decisions returns what a Work says of where its groups go, by their ids.
func (w *Work) Decisions() (map[string]Decision, error) {
	text, there := w.Annotations[DecisionsAnnotation]
	if !there {
		return nil, nil
	}
	var decisions map[string]Decision
	if err := json.Unmarshal([]byte(text), &decisions); err != nil {
		return nil, fmt.Errorf(`the annotation %s is no JSON object from group ids to {"destination": NAME}; it is ignored: %w`, DecisionsAnnotation, err)
	}
	return decisions, nil
}

// Decide returns the text of a Work's decisions with some more. Those of groups
// that the Work no longer has are left out.
func (w *Work) Decide(more map[string]Decision) string {
	all := map[string]Decision{}
	before, _ := w.Decisions() // what cannot be read is replaced
	for _, group := range w.Spec.WorkloadGroups {
		if decision, decided := before[group.ID]; decided {
			all[group.ID] = decision
		}
		if decision, decided := more[group.ID]; decided {
			all[group.ID] = decision
		}
	}
	text, _ := json.Marshal(all) // strings can always be written
	return string(text)
}
