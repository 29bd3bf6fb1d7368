package status

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// partlyReported is the reason of a condition if the agent has reported only some of the
// placements.
const partlyReported = "PartlyReported"

type agentConditions struct {
	placement        report.Placement
	applied, healthy report.AgentCondition
}

func (p *planner) agentsOf(placements []report.Placement) []agentConditions {
	var all []agentConditions
	for _, placement := range placements {
		if state, known := p.agents.Of(&placement); known {
			applied := p.keep(placement, kratix.AppliedCondition, state.Applied)
			all = append(all, agentConditions{placement, applied, p.keep(placement, kratix.HealthyCondition, state.Healthy)})
		}
	}
	return all
}

// keep returns the reported condition of a placement. With reported.UnlessTrue, a condition that is
// True already stays. The zero AgentCondition changes nothing.
func (p *planner) keep(placement report.Placement, kind string, reported report.AgentCondition) report.AgentCondition {
	if reported.Reason == report.NotRead {
		return report.AgentCondition{}
	}
	if have := p.workPlacementByKey[kratix.KeyOf(placement.Object)]; have != nil && reported.UnlessTrue {
		if was := meta.FindStatusCondition(have.Status.Conditions, kind); was != nil && was.Status == metav1.ConditionTrue {
			return report.AgentCondition{Status: report.True, Reason: was.Reason, Message: was.Message}
		}
	}
	return reported
}

func (p *planner) setPlacementAgent(change *Change, have *kratix.WorkPlacement) {
	placement, known := p.placements[kratix.KeyOf(have)]
	if !known || p.isUnreadable(have) || !have.DeletionTimestamp.IsZero() {
		return
	}
	for _, reported := range p.agentsOf([]report.Placement{placement}) {
		p.setAgent(change, have.Status.Conditions, have.Generation, reported.applied, reported.healthy, keeps)
	}
}

func (p *planner) setWorkAgent(change *Change, work *kratix.Work) {
	all := p.agentsOf(p.byWork[kratix.KeyOf(work).String()])
	if len(all) == 0 || p.isUnreadable(work) || !work.DeletionTimestamp.IsZero() {
		return
	}
	applied, healthy := summaries(all, func(a agentConditions) string { return a.placement.Destination })
	p.setAgent(change, work.Status.Conditions, work.Generation, applied, healthy, keeps)
}

func (p *planner) setDestinationAgent(change *Change, d *kratix.Destination) {
	deliveries := p.agents[d.Name]
	if len(deliveries) == 0 || d.IsDeleted() {
		return
	}
	all := p.agentsOf(p.byDestination[d.Name])
	applied, healthy := summaries(all, func(a agentConditions) string { return kratix.WorkKind + " " + a.placement.Work })
	applied = withRoots(applied, len(all), deliveries, func(d *report.Delivery) report.AgentCondition { applied, _ := d.Conditions(); return applied })
	healthy = withRoots(healthy, len(all), deliveries, func(d *report.Delivery) report.AgentCondition { _, healthy := d.Conditions(); return healthy })
	p.setAgent(change, d.Status.Conditions, d.Generation, applied, healthy, renews)
	p.keepStates(change, d, deliveries)
}

// withRoots returns the condition of a Destination, from the summary of its placements and the
// conditions of its roots. The message of a True condition has the revisions of the roots.
func withRoots(summary report.AgentCondition, placements int, deliveries []*report.Delivery, of func(*report.Delivery) report.AgentCondition) report.AgentCondition {
	var revisions []string
	for _, d := range deliveries {
		root := of(d)
		if summary.Status != report.False && (root.Status == report.False || placements == 0) {
			summary = root
		}
		if root.Status == report.True {
			revisions = append(revisions, strings.TrimPrefix(d.Root+": "+root.Message, ": "))
		}
	}
	if summary.Status == report.True && len(revisions) > 0 {
		summary.Message = strings.Join(revisions, "; ")
	}
	return summary
}

// keepStates sets the annotation of a Destination with the states that its agent has reported.
func (p *planner) keepStates(change *Change, d *kratix.Destination, deliveries []*report.Delivery) {
	if p.mode != Manage && p.mode != Promote {
		return
	}
	if p.selects != nil {
		p.mergeStates(change, d, deliveries)
		return
	}
	states := map[string]agent.State{}
	for i := range deliveries {
		states[deliveries[i].Root] = deliveries[i].Stable
	}
	change.annotateStates(d, states)
}

// passStates sets the annotation of another shard's Destination if this process has received other
// events than those in the annotation.
func (p *planner) passStates(change *Change, d *kratix.Destination) {
	if deliveries := p.agents[d.Name]; len(deliveries) > 0 && !d.IsDeleted() {
		p.keepStates(change, d, deliveries)
	}
}

// mergeStates merges what this shard has received into the annotation. The annotation is not changed
// for a later event that changes nothing else.
func (p *planner) mergeStates(change *Change, d *kratix.Destination, deliveries []*report.Delivery) {
	received := map[string]agent.State{}
	for _, delivery := range deliveries {
		state := delivery.Stable
		state.Latest = delivery.State.Latest
		received[delivery.Root] = state
	}
	annotated := p.annotatedStates(d)
	if merged := agent.MergeStates(received, annotated); !agent.Same(merged, annotated) {
		change.annotateStates(d, merged)
	}
}

// annotatedStates returns the states in the annotation of a Destination, or nil if it is invalid or
// in the future.
func (p *planner) annotatedStates(d *kratix.Destination) map[string]agent.State {
	states, err := agent.ParseStates(d.Annotations[kratix.ReportedAnnotation])
	if err != nil || agent.AreAhead(states, p.at.Time) {
		return nil
	}
	return states
}

func (c *Change) annotateStates(d *kratix.Destination, states map[string]agent.State) {
	if text := agent.FormatStates(states); text != d.Annotations[kratix.ReportedAnnotation] {
		c.step(Patch, map[string]any{"metadata": map[string]any{"annotations": map[string]any{kratix.ReportedAnnotation: text}}})
	}
}

func summaries(all []agentConditions, name func(agentConditions) string) (applied, healthy report.AgentCondition) {
	applied = summarize(all, name, func(a agentConditions) report.AgentCondition { return a.applied })
	healthy = summarize(all, name, func(a agentConditions) report.AgentCondition { return a.healthy })
	return applied, healthy
}

// summarize returns the worst condition of several placements. It returns the zero AgentCondition
// if a placement has no condition.
func summarize(all []agentConditions, name func(agentConditions) string, of func(agentConditions) report.AgentCondition) report.AgentCondition {
	worst := report.AgentCondition{}
	var messages []string
	seen := map[string]bool{}
	alike := 0
	for _, each := range all {
		condition := of(each)
		switch {
		case condition.Status == "":
			return report.AgentCondition{}
		case worst.Status == "" || isWorse(condition.Status, worst.Status):
			worst, messages, alike = condition, nil, 0
		case condition.Status != worst.Status:
			continue
		}
		alike++
		if message := name(each) + ": " + condition.Message; !seen[message] {
			seen[message], messages = true, append(messages, message)
		}
	}
	if worst.Status == report.Unknown && alike < len(all) && worst.Reason != report.Blocked {
		worst.Reason = partlyReported
	}
	worst.Message = firstOf(messages)
	return worst
}

// isWorse reports whether a status is worse than another status. False is the worst, and True is
// the best.
func isWorse(status, than string) bool {
	order := []string{report.True, report.Unknown, report.False}
	return slices.Index(order, status) > slices.Index(order, than)
}

func firstOf(messages []string) string {
	const named = 3
	if more := len(messages) - named; more > 0 {
		messages = append(messages[:named:named], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(messages, "; ")
}

// The values of the parameter renews of setAgent: whether a condition that stays True gets a new
// message.
const (
	keeps  = false
	renews = true
)

// setAgent sets the conditions Applied and Healthy of an object. The zero AgentCondition changes
// nothing.
func (p *planner) setAgent(change *Change, have []metav1.Condition, generation int64, applied, healthy report.AgentCondition, renews bool) {
	var wanted []metav1.Condition
	for _, want := range []metav1.Condition{conditionOf(kratix.AppliedCondition, applied), conditionOf(kratix.HealthyCondition, healthy)} {
		was := meta.FindStatusCondition(have, want.Type)
		if staysTrue := was != nil && was.Status == metav1.ConditionTrue && want.Status == metav1.ConditionTrue; want.Status != "" && (!staysTrue || renews) {
			wanted = append(wanted, want)
		}
	}
	change.agentEvent(have, p.putMore(change, have, generation, wanted...))
}

// putMore sets conditions in addition to those that the change sets already, and returns the
// changed conditions.
func (p *planner) putMore(change *Change, have []metav1.Condition, generation int64, want ...metav1.Condition) (changed []metav1.Condition) {
	conditions := have
	at := slices.IndexFunc(change.Steps, func(s Step) bool { return s.Verb == PatchStatus })
	if at >= 0 {
		conditions, _ = change.Steps[at].Patch["status"].(map[string]any)["conditions"].([]metav1.Condition)
	}
	conditions, changed = p.put(conditions, generation, want...)
	switch {
	case len(changed) == 0:
	case at >= 0:
		change.Steps[at].Patch["status"].(map[string]any)["conditions"] = conditions //nolint:errcheck // statusOf created it
	default:
		change.step(PatchStatus, statusOf(conditions))
	}
	return changed
}

func conditionOf(kind string, reported report.AgentCondition) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionStatus(reported.Status), Reason: reported.Reason, Message: reported.Message}
}

// agentEvent adds Events about conditions of the agent that fail or recover.
func (c *Change) agentEvent(have, changed []metav1.Condition) {
	for _, now := range changed {
		was := meta.FindStatusCondition(have, now.Type)
		switch {
		case !hasChanged(have, now):
		case now.Status == metav1.ConditionFalse:
			c.event(warning, now.Reason, now.Message)
		case now.Status == metav1.ConditionTrue && was.Status == metav1.ConditionFalse:
			c.event(normal, now.Reason, now.Message)
		}
	}
}
