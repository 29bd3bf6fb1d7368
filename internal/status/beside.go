package status

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

const noOtherScheduler = "NoOtherScheduler"

func otherScheduler(said report.Report) *finding.Finding {
	i := slices.IndexFunc(said.Findings, func(f finding.Finding) bool {
		return f.Rule == finding.PolicyNotInForce() || f.Rule == finding.OtherScheduler()
	})
	if i < 0 {
		return nil
	}
	return &said.Findings[i]
}

// isUnsure reports whether it is unknown if another controller may schedule Works.
func isUnsure(said report.Report) bool {
	return slices.ContainsFunc(said.Findings, func(f finding.Finding) bool {
		return f.Rule == finding.PolicyDeniesSelf() || f.Rule == finding.PolicyUnchecked()
	})
}

// soleScheduler returns the condition SoleScheduler of a Destination, or no condition to leave it
// unchanged.
func (p *planner) soleScheduler(have []metav1.Condition) []metav1.Condition {
	switch {
	case p.other != nil:
		return []metav1.Condition{no(kratix.SoleSchedulerCondition, p.other.Rule.Name, p.other.Message+". "+p.other.Advice())}
	case p.unsure: // the condition does not change
	case p.mode != Observe && p.mode != Promote && meta.FindStatusCondition(have, kratix.SoleSchedulerCondition) != nil:
		return []metav1.Condition{yes(kratix.SoleSchedulerCondition, noOtherScheduler, "no other program places Works")}
	}
	return nil
}

func (p *planner) warnings() []Change {
	var changes []Change
	for _, d := range sorted(p.now.Destinations) {
		if p.now.Unreadable[kratix.Describe(d)] || d.IsDeleted() {
			continue
		}
		have := d.Status.Conditions
		conditions, changed := p.put(have, 0, p.soleScheduler(have)...)
		if len(changed) == 0 {
			continue
		}
		change := Change{Object: d}
		change.step(PatchStatus, statusOf(conditions))
		if hasChanged(have, changed[0]) {
			change.event(warning, changed[0].Reason, changed[0].Message)
		}
		changes = append(changes, change)
	}
	return changes
}
