package report

import (
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
)

// Agents contains the deliveries of a report, by the name of the Destination.
type Agents map[string][]*Delivery

// Agents returns the deliveries of the report, by the name of the Destination.
func (r Report) Agents() Agents {
	agents := Agents{}
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		agents[d.Destination] = append(agents[d.Destination], d)
	}
	return agents
}

// Delivered is the state of a placement as the agent of its Destination has reported it.
type Delivered struct{ Applied, Healthy AgentCondition }

// Of returns the state of a placement, and whether it is known.
func (a Agents) Of(p *Placement) (state Delivered, known bool) {
	if len(a) == 0 || !p.isDelivered() {
		return state, false
	}
	for _, d := range a[p.Destination] {
		if d.Covers(p) {
			return Delivered{Applied: d.Applied(p), Healthy: d.Healthy(p)}, true
		}
	}
	return state, false
}

func (p *Placement) isDelivered() bool {
	switch p.State {
	case Placed, Unchanged:
		return p.Object != nil
	case HeldBack, Kept:
		return p.Object != nil && p.Written
	}
	return false
}

type (
	root struct {
		Destination string       `json:"destination"`
		Root        string       `json:"root,omitempty"`
		Applied     *mark        `json:"applied,omitempty"`
		Healthy     *mark        `json:"healthy,omitempty"`
		Failure     *rootFailure `json:"failure,omitempty"`
	}
	mark struct {
		Revision string    `json:"revision"`
		Time     time.Time `json:"time"`
	}
	rootFailure struct {
		Revision string        `json:"revision"`
		Outcome  agent.Outcome `json:"outcome"`
		Message  string        `json:"message,omitempty"`
		Since    time.Time     `json:"since"`
		// Works are the Works with an object on which the agent has failed. If there are none,
		// Suspects are the Works that may have such an object.
		Works    []string `json:"works,omitempty"`
		Suspects []string `json:"suspects,omitempty"`
	}
)

func (d Document) roots() []root {
	var all []root
	for i := range d.Deliveries {
		delivery := &d.Deliveries[i]
		state := root{Destination: delivery.Destination, Root: delivery.Root, Applied: markOf(delivery.State.Applied), Healthy: markOf(delivery.State.Healthy)}
		if f := delivery.State.Failure; f != nil {
			state.Failure = &rootFailure{
				Revision: f.Revision, Outcome: f.Outcome, Message: f.Message, Since: f.Since,
				Works: worksOf(delivery.Failing), Suspects: worksOf(delivery.Suspects),
			}
		}
		all = append(all, state)
	}
	return all
}

func markOf(m agent.Mark) *mark {
	if m.Revision == "" {
		return nil
	}
	return &mark{Revision: m.Revision, Time: m.Time}
}

func worksOf(claimants []Claimant) []string {
	var names []string
	for _, c := range claimants {
		names = append(names, c.Work)
	}
	return names
}

// String returns the state as text, such as "Applied: True, Healthy: False (HealthFailed)".
func (s Delivered) String() string {
	return "Applied: " + s.Applied.short() + ", Healthy: " + s.Healthy.short()
}

func (c AgentCondition) short() string {
	if c.Status == True {
		return c.Status
	}
	return c.Status + " (" + c.Reason + ")"
}

func (a Agents) text(p *Placement) string {
	if state, known := a.Of(p); known {
		return state.String()
	}
	return ""
}

func (d *Delivery) failure() string {
	f := d.State.Failure
	if f == nil {
		return ""
	}
	name := d.Destination
	if d.Root != "" {
		name += "/" + d.Root
	}
	return name + " fails since " + f.Since.UTC().Format(time.RFC3339) + ": " + string(f.Outcome) + d.by() + ": " + f.String()
}
