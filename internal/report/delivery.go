package report

import (
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Delivery is the state of one root of a Destination as its agent has reported it, with the
// consequences for the placements in the root.
type Delivery struct {
	Destination string
	// Root is the directory of the root, relative to that of the Destination; empty if the
	// Destination is one root.
	Root  string
	State agent.State
	// Stable is State with each revision replaced by the first one that was reported with the
	// same files in the root, so it changes only if the files change.
	Stable agent.State `json:"-"`
	// AppliedKnown reports whether the files of the applied revision are known, and HealthyKnown
	// whether those of the healthy one are.
	AppliedKnown, HealthyKnown bool `json:"-"`
	// Unapplied are the placements whose stored files differ from those at the applied revision,
	// Unchecked those whose files differ from those at the healthy revision.
	Unapplied, Unchecked map[kratix.Key]bool `json:"-"`
	// Failing are the placements that certainly have an object on which the agent has failed. If
	// no placement certainly has one, Suspects are the placements that may have one.
	Failing, Suspects []Claimant `json:",omitempty"`
}

// Claimant is a placement that has an object, and its Work.
type Claimant struct {
	Placement kratix.Key
	// Work is the key of the Work.
	Work string
}

// AgentCondition is a condition of a placement or a Destination that its agent has reported.
type AgentCondition struct {
	// Status is True, False or Unknown.
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message,omitempty"`
	// UnlessTrue reports whether a condition that is True already stays: the revision with the
	// files that were applied is not known, because this process has not read it.
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
	// NotReported: the agent has not reported the current files yet.
	NotReported = "NotReported"
	// Blocked: the agent fails on something that does not belong to the placement.
	Blocked = "Blocked"
	// NotRead: the agent has reported a revision that this process has not read, so its files
	// cannot be compared. A condition that the placement has already stays as it is.
	NotRead = "NotRead"
)

// Covers reports whether a placement has its files in the root.
func (d *Delivery) Covers(p *Placement) bool {
	return p.Object != nil && (d.Root == "" || p.Object.IsDependency() == (d.Root == agent.Dependencies))
}

// fails reports whether the agent fails on an object of a placement.
func (d *Delivery) fails(p *Placement) bool {
	key := kratix.KeyOf(p.Object)
	return slices.ContainsFunc(d.Failing, func(c Claimant) bool { return c.Placement == key })
}

// Applied returns whether the files of a placement in this root are applied.
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

// Healthy returns whether the objects of a placement in this root are healthy.
func (d *Delivery) Healthy(p *Placement) AgentCondition {
	failure := d.State.Failure
	unread := !d.HealthyKnown && p.State != Placed && d.State.Healthy.Revision != ""
	switch {
	case failure != nil && failure.Outcome == agent.HealthFailed && d.fails(p):
		return d.failed(False)
	case d.HealthyKnown && p.State != Placed && !d.Unchecked[kratix.KeyOf(p.Object)]:
		return AgentCondition{Status: True, Reason: string(agent.Healthy), Message: "healthy in revision " + d.Stable.Healthy.Revision}
	case failure == nil, failure.Outcome == agent.PruneFailed: // the health of the wanted objects is not known
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

// unlessTrue returns the condition with UnlessTrue.
func (c AgentCondition) unlessTrue(stays bool) AgentCondition {
	c.UnlessTrue = stays
	return c
}

// failed returns the condition of a placement on which the agent fails.
func (d *Delivery) failed(status string) AgentCondition {
	return AgentCondition{Status: status, Reason: string(d.State.Failure.Outcome), Message: d.State.Failure.String()}
}

// blocked returns the condition of a placement whose state is unknown because the agent fails on
// something else.
func (d *Delivery) blocked() AgentCondition {
	return AgentCondition{Status: Unknown, Reason: Blocked, Message: d.Destination + " is blocked" + d.by() + ": " + d.State.Failure.String()}
}

// by returns a phrase with the Works on whose objects the agent fails, as far as they are known.
func (d *Delivery) by() string {
	switch {
	case len(d.Failing) > 0:
		return " by " + Works(d.Failing)
	case len(d.Suspects) > 0:
		return ", perhaps by " + Works(d.Suspects)
	}
	return ""
}

// Works returns the names of the Works of some placements, for messages.
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

// notReported returns the condition of a placement whose files the agent has not reported yet.
func (d *Delivery) notReported() AgentCondition {
	return AgentCondition{Status: Unknown, Reason: NotReported, Message: "the agent of " + d.Destination + " has not reported the current files yet"}
}

// notRead returns the condition of a placement while the files of a reported revision are not known.
func (d *Delivery) notRead(revision string) AgentCondition {
	return AgentCondition{Status: Unknown, Reason: NotRead, Message: "the agent of " + d.Destination + " has reported revision " + revision + ", which this process has not read"}
}

// Conditions returns the two conditions of the root as a whole.
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
