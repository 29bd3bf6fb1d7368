package report

import (
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Delivery is the reported state of a root, with the consequences for the placements in the root.
type Delivery struct {
	Destination string
	// Root is the path of the root, relative to the Destination. It is empty if the Destination has
	// a single root.
	Root  string
	State agent.State
	// Stable is State with each revision replaced by the first revision with the same files in the
	// root.
	Stable agent.State `json:"-"`
	// AppliedKnown and HealthyKnown mean that the files of the applied and of the healthy revision
	// are known.
	AppliedKnown, HealthyKnown bool `json:"-"`
	// Unapplied and Unchecked contain the placements whose stored files differ from the applied and
	// from the healthy revision.
	Unapplied, Unchecked map[kratix.Key]bool `json:"-"`
	// Failing are the placements with an object on which the agent has failed. If there are none,
	// Suspects are the placements that may have such an object.
	Failing, Suspects []Claimant `json:",omitempty"`
}

// Claimant is a placement that has an object, with its Work.
type Claimant struct {
	Placement kratix.Key
	Work      string
}

// AgentCondition is a condition that follows from the reports of an agent.
type AgentCondition struct {
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message,omitempty"`
	// UnlessTrue means that an existing True condition is kept.
	UnlessTrue bool `json:"-"`
}

// The values of AgentCondition.Status.
const (
	True    = "True"
	False   = "False"
	Unknown = "Unknown"
)

// The reasons of an AgentCondition, in addition to the names of agent.Outcome.
const (
	// NotReported means that the agent has not reported the current files yet.
	NotReported = "NotReported"
	// Blocked means that the agent fails, perhaps on objects of other placements.
	Blocked = "Blocked"
	// NotRead means that this process has not read the reported revision.
	NotRead = "NotRead"
)

// Covers reports whether the files of a placement are in the root.
func (d *Delivery) Covers(p *Placement) bool {
	return p.Object != nil && (d.Root == "" || p.Object.IsDependency() == (d.Root == agent.Dependencies))
}

func (d *Delivery) fails(p *Placement) bool {
	key := kratix.KeyOf(p.Object)
	return slices.ContainsFunc(d.Failing, func(c Claimant) bool { return c.Placement == key })
}

// Applied returns the condition Applied of a placement in this root.
func (d *Delivery) Applied(p *Placement) AgentCondition {
	stops := d.State.Failure != nil && !d.State.Failure.Outcome.IsApplied()
	unread := !d.AppliedKnown && p.State != Placed && d.State.Applied.Revision != ""
	switch {
	case stops && d.fails(p):
		return d.failed(False)
	case d.AppliedKnown && p.State != Placed && !d.Unapplied[kratix.KeyOf(p.Object)]:
		return AgentCondition{Status: True, Reason: string(agent.Applied), Message: "applied in revision " + d.Stable.Applied.Revision}
	case stops:
		return d.blocked().unlessTrue(unread)
	case unread:
		return d.notRead(d.State.Applied.Revision)
	}
	return d.notReported()
}

// Healthy returns the condition Healthy of a placement in this root.
func (d *Delivery) Healthy(p *Placement) AgentCondition {
	failure := d.State.Failure
	unread := !d.HealthyKnown && p.State != Placed && d.State.Healthy.Revision != ""
	switch {
	case failure != nil && failure.Outcome == agent.HealthFailed && d.fails(p):
		return d.failed(False)
	case d.HealthyKnown && p.State != Placed && !d.Unchecked[kratix.KeyOf(p.Object)]:
		return AgentCondition{Status: True, Reason: string(agent.Healthy), Message: "healthy in revision " + d.Stable.Healthy.Revision}
	case failure == nil, failure.Outcome == agent.PruneFailed: // the health of the current objects is not known
	case d.fails(p):
		return d.failed(Unknown).unlessTrue(unread)
	default:
		return d.blocked().unlessTrue(unread)
	}
	if unread {
		return d.notRead(d.State.Healthy.Revision)
	}
	return d.notReported()
}

func (c AgentCondition) unlessTrue(stays bool) AgentCondition {
	c.UnlessTrue = stays
	return c
}

func (d *Delivery) failed(status string) AgentCondition {
	return AgentCondition{Status: status, Reason: string(d.State.Failure.Outcome), Message: d.State.Failure.String()}
}

// blocked returns the condition of a placement whose state is unknown because the agent fails.
func (d *Delivery) blocked() AgentCondition {
	return AgentCondition{Status: Unknown, Reason: Blocked, Message: d.Destination + " is blocked" + d.by() + ": " + d.State.Failure.String()}
}

// by returns a phrase with the Works on which the agent fails, or "" if none is known.
func (d *Delivery) by() string {
	switch {
	case len(d.Failing) > 0:
		return " by " + Works(d.Failing)
	case len(d.Suspects) > 0:
		return ", perhaps by " + Works(d.Suspects)
	}
	return ""
}

// Works returns the names of the Works of some placements, for messages. It names at most three.
func Works(claimants []Claimant) string {
	const named = 3
	var names []string
	for _, c := range claimants {
		names = append(names, kratix.WorkKind+" "+c.Work)
	}
	if len(names) > named {
		names = append(names[:named:named], "others")
	}
	return strings.Join(names, ", ")
}

func (d *Delivery) notReported() AgentCondition {
	return AgentCondition{Status: Unknown, Reason: NotReported, Message: "the agent of " + d.Destination + " has not reported the current files yet"}
}

func (d *Delivery) notRead(revision string) AgentCondition {
	return AgentCondition{Status: Unknown, Reason: NotRead, Message: "the agent of " + d.Destination + " has reported revision " + revision + ", which this process has not read"}
}

// Conditions returns the conditions Applied and Healthy of the whole root.
func (d *Delivery) Conditions() (applied, healthy AgentCondition) {
	applied, healthy = d.notReported(), d.notReported()
	if d.State.Applied.Revision != "" {
		applied = AgentCondition{Status: True, Reason: string(agent.Applied), Message: "applied revision " + d.Stable.Applied.Revision}
	}
	if d.State.Healthy.Revision != "" {
		healthy = AgentCondition{Status: True, Reason: string(agent.Healthy), Message: "healthy in revision " + d.Stable.Healthy.Revision}
	}
	if failure := d.State.Failure; failure != nil {
		said := AgentCondition{Status: False, Reason: string(failure.Outcome), Message: strings.TrimPrefix(d.by(), " ") + ": " + failure.String()}
		said.Message = strings.TrimPrefix(strings.TrimPrefix(said.Message, ": "), ", ")
		if failure.Outcome != agent.HealthFailed {
			applied = said
		}
		if failure.Outcome != agent.PruneFailed {
			healthy = said
		}
	}
	return applied, healthy
}
