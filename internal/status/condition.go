package status

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

const (
	noConflict         = "NoConflict"
	duplicateResources = "DuplicateResources"
)

func yes(kind, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: reason, Message: message}
}

func no(kind, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionFalse, Reason: reason, Message: message}
}

// unknown returns the condition ConflictFree of an object that was not checked.
func unknown(reason, message string) metav1.Condition {
	return metav1.Condition{Type: kratix.ConflictFreeCondition, Status: metav1.ConditionUnknown, Reason: reason, Message: message}
}

// put returns a copy of a list of conditions in which the wanted conditions are set. changed are
// the wanted conditions that are new or different.
func (p *planner) put(have []metav1.Condition, generation int64, want ...metav1.Condition) (conditions, changed []metav1.Condition) {
	conditions = slices.Clone(have)
	for _, condition := range want {
		condition.LastTransitionTime, condition.ObservedGeneration = p.at, generation
		condition.Message = Shorten(printable.Line(condition.Message), longestMessage)
		if meta.SetStatusCondition(&conditions, condition) {
			changed = append(changed, condition)
		}
	}
	return conditions, changed
}

// hasChanged reports whether a condition has another status or reason than before. A new condition
// has changed if it is False.
func hasChanged(have []metav1.Condition, now metav1.Condition) bool {
	before := meta.FindStatusCondition(have, now.Type)
	if before == nil {
		return now.Status == metav1.ConditionFalse
	}
	return before.Status != now.Status || before.Reason != now.Reason
}

func (p *planner) conflictFree(work *kratix.Work, conflicts []finding.Finding) metav1.Condition {
	if len(conflicts) == 0 {
		return yes(kratix.ConflictFreeCondition, noConflict, "nothing of it is held back")
	}
	message := describe(work, conflicts[0])
	if more := len(conflicts) - 1; more > 0 {
		message += fmt.Sprintf(" (and %d more)", more)
	}
	return no(kratix.ConflictFreeCondition, reasonOf(conflicts[0]), message)
}

// keepsConflict returns the condition ConflictFree to be written. A False condition may stay while
// a store fails, because the conflict may still exist.
func (p *planner) keepsConflict(have []metav1.Condition, placements []report.Placement, now metav1.Condition) metav1.Condition {
	isUnknown := func(placement report.Placement) bool {
		return placement.State == report.Failed || placement.State == report.Unplaced || placement.State == report.Kept
	}
	was := meta.FindStatusCondition(have, kratix.ConflictFreeCondition)
	if p.storeFails && now.Status == metav1.ConditionTrue && was != nil && was.Status == metav1.ConditionFalse && slices.ContainsFunc(placements, isUnknown) {
		return *was
	}
	return now
}

func reasonOf(conflict finding.Finding) string {
	if conflict.Rule == finding.DuplicateObject() {
		return duplicateResources
	}
	return conflict.Rule.Name
}

func describe(work *kratix.Work, conflict finding.Finding) string {
	var text strings.Builder
	text.WriteString(conflict.Message)
	fmt.Fprintf(&text, ": %s brings it in %s", work.Owner(), conflict.Place)
	for _, related := range conflict.Related {
		fmt.Fprintf(&text, ", %s has it in %s", related.Message, related.Place)
	}
	text.WriteString(". " + conflict.Advice())
	return text.String()
}

// conflictEvent adds an Event if the condition ConflictFree has changed to True or False.
func (c *Change) conflictEvent(have []metav1.Condition, now metav1.Condition, conflicts []finding.Finding) {
	switch {
	case !hasChanged(have, now), now.Status == metav1.ConditionUnknown:
	case now.Status == metav1.ConditionTrue:
		c.event(normal, noConflict, "nothing of it is held back any more")
	case conflicts[0].Flux != "":
		c.event(warning, now.Reason, now.Message+" Flux would say: "+conflicts[0].Flux)
	default:
		c.event(warning, now.Reason, now.Message)
	}
}

func statusOf(conditions []metav1.Condition) map[string]any {
	return map[string]any{"status": map[string]any{"conditions": conditions}}
}
