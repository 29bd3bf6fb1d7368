package status

import (
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// The reasons of the condition Ready of a Rollout, and of the condition RolledOut of a Work, in
// addition to the phases of a rollout.
const (
	rolloutInvalid = "Invalid"
	rolloutIdle    = "NothingSelected"
)

// rolloutPhases returns the phases of a rollout, the worst phase first.
func rolloutPhases() []string {
	return []string{"Failed", "RollingBack", "RolledBack", "Paused", "Waiting", "Progressing", "Complete"}
}

func isBad(phase string) bool {
	return phase == "Failed" || phase == "RollingBack" || phase == "RolledBack"
}

const maxPromises = 100

// rollouts sets the status of the Rollouts that this process selects. Every shard plans all waves.
func (p *planner) rollouts() []Change {
	if p.mode != Manage {
		return nil
	}
	var changes []Change
	for _, r := range sorted(p.now.Rollouts) {
		if p.now.Unreadable[kratix.Describe(r)] || !r.DeletionTimestamp.IsZero() || !p.isSelected(r) {
			continue
		}
		change := Change{Object: r}
		p.rollout(&change, r)
		if !change.isEmpty() {
			changes = append(changes, change)
		}
	}
	return changes
}

func (p *planner) rollout(change *Change, r *kratix.Rollout) {
	states := p.rolloutsNamed(r.Name)
	ready := readyRollout(states)
	if f, invalid := p.about(kratix.Describe(r), finding.InvalidObject()); invalid {
		ready = no(kratix.ReadyCondition, rolloutInvalid, f.Message)
	}
	conditions, changed := p.put(r.Status.Conditions, r.Generation, ready)
	promises := promisesOf(states)
	if len(changed) == 0 && (len(promises) == 0 && len(r.Status.Promises) == 0 || reflect.DeepEqual(promises, r.Status.Promises)) {
		return
	}
	patch := statusOf(conditions)
	patch["status"].(map[string]any)["promises"] = promises //nolint:errcheck // statusOf created it
	change.step(PatchStatus, patch)
	change.rolloutEvent(r.Status.Conditions, ready)
}

// rolloutsNamed returns the states of a Rollout, one for each Promise.
func (p *planner) rolloutsNamed(name string) []report.Rollout {
	return slices.DeleteFunc(slices.Clone(p.rolledOut), func(r report.Rollout) bool { return r.Name != name })
}

// readyRollout returns the condition Ready of a Rollout with the given states.
func readyRollout(states []report.Rollout) metav1.Condition {
	for _, phase := range rolloutPhases() {
		for _, state := range states {
			if state.Phase != phase {
				continue
			}
			return rolloutCondition(kratix.ReadyCondition, &state)
		}
	}
	return yes(kratix.ReadyCondition, rolloutIdle, "it selects no Work that is placed")
}

func rolloutCondition(kind string, state *report.Rollout) metav1.Condition {
	message := "revision " + state.Revision + " of Promise " + state.Promise
	if state.Reason != "" {
		message += ": " + state.Reason
	}
	if state.Phase == "Complete" {
		return yes(kind, state.Phase, message)
	}
	return no(kind, state.Phase, message)
}

// rolloutEvent adds an Event if a rollout has entered another phase.
func (c *Change) rolloutEvent(have []metav1.Condition, now metav1.Condition) {
	was := meta.FindStatusCondition(have, now.Type)
	if was == nil && now.Status == metav1.ConditionTrue || was != nil && was.Reason == now.Reason || now.Reason == rolloutIdle {
		return
	}
	kind := normal
	if isBad(now.Reason) || now.Reason == rolloutInvalid {
		kind = warning
	}
	c.event(kind, now.Reason, now.Message)
}

func promisesOf(states []report.Rollout) []kratix.RolloutPromise {
	var promises []kratix.RolloutPromise
	for _, state := range states[:min(len(states), maxPromises)] {
		one := kratix.RolloutPromise{
			PromiseName: state.Promise, Revision: state.Revision, Phase: state.Phase, Reason: Shorten(printable.Line(state.Reason), longestMessage),
		}
		for _, wave := range state.Waves {
			one.Waves = append(one.Waves, kratix.RolloutWaveStatus{
				Name: wave.Name, Destinations: wave.Destinations, Updated: wave.Updated, InFlight: wave.InFlight, Failed: wave.Failed,
				Reason: Shorten(printable.Line(wave.Reason), longestMessage),
			})
		}
		promises = append(promises, one)
	}
	return promises
}

// setWorkRollout sets the condition RolledOut of a Work that a Rollout selects.
func (p *planner) setWorkRollout(change *Change, work *kratix.Work) {
	if p.mode != Manage || p.isUnreadable(work) || !work.DeletionTimestamp.IsZero() {
		return
	}
	key := kratix.KeyOf(work).String()
	for i := range p.rolledOut {
		state := &p.rolledOut[i]
		if !slices.Contains(state.Works, key) {
			continue
		}
		want := rolloutCondition(kratix.RolledOutCondition, state)
		want.Message = "Rollout " + state.Name + ": " + want.Message
		if len(p.putMore(change, work.Status.Conditions, work.Generation, want)) > 0 {
			change.rolloutEvent(work.Status.Conditions, want)
		}
		return
	}
}

// rolloutReasons returns the rows about the phases of a rollout.
func rolloutReasons(kind, condition string) []Reason {
	t := table{object: kind}
	when := map[string]string{
		"Failed":      "more Destinations of a wave have failed than it allows (rule KS054)",
		"RollingBack": "Destinations that were changed get their former content back",
		"RolledBack":  "they have it back; the same content is not tried again",
		"Paused":      "`spec.paused` is set",
		"Waiting":     "a wave waits for an approval or a window",
		"Progressing": "Destinations are being changed, or a wave waits for their agents",
		"Complete":    "all Destinations have the wanted content",
	}
	for _, phase := range rolloutPhases() {
		value, event := isFalse, normal
		if phase == "Complete" {
			value = isTrue
		}
		if isBad(phase) {
			event = warning
		}
		t.ownOnly(condition, value, phase, when[phase], Manage)
		t.ownOnly("", event, phase, when[phase], Manage)
	}
	return t.rows
}

func ownRolloutReasons() []Reason {
	t := table{object: kratix.RolloutKind, rows: rolloutReasons(kratix.RolloutKind, kratix.ReadyCondition)}
	t.ownOnly(kratix.ReadyCondition, isTrue, rolloutIdle, "it selects no Work that is placed", Manage)
	t.ownOnly(kratix.ReadyCondition, isFalse, rolloutInvalid, "its spec is invalid (rule KS024); what it selects is not changed", Manage)
	t.ownOnly("", warning, rolloutInvalid, "its spec is invalid (rule KS024); what it selects is not changed", Manage)
	return t.rows
}
