// Package reconcile turns the input and the state of the stores into changes, and writes them. A
// round ([Reconciler.Round]) is a sequence of stages, each a function from one value to the next:
//
//	observe ─▶ relate ─▶ plan ─▶ rollout ─▶ render ─▶ check ─▶ diff ─▶ outcome ─▶ commit ─▶ report
//
// The [Finish] of a [Reconciler] decides what happens to the changes: [Commit] writes them, [Preview]
// and [Rehearse] do not.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Reconciler runs rounds, one at a time. Placements are recorded in the stores.
type Reconciler struct {
	Source source.Source
	Stores statestore.Opener
	Finish Finish
	Policy Policy
	// Planner decides which placements go where. Nil means a scheduler.Planner.
	Planner Planner
	// Pause waits after a failed attempt. Nil means no wait.
	Pause func(ctx context.Context, attempt int)
	// Observe is called when a stage begins. The stage runs with the inner context, and calls done
	// when it ends. Observe may be nil.
	Observe func(ctx context.Context, stage string) (inner context.Context, done func(error))
	// Builder builds directories with a kustomization. Nil means that they are built in this process.
	Builder kustomize.Builder
	// Stop, when closed, ends a round before it writes anything. Nil means the Done channel of the
	// round's context.
	Stop <-chan struct{}
	// Selects reports whether this process, as one of several shards, writes to a state store with the
	// given labels. Nil means all state stores.
	Selects func(labels map[string]string) bool
	// Now returns the time of a round. Nil means the zero time.
	Now func() time.Time
	// Allowed returns the allowance of a user, or an error if it cannot be read. An allowance other
	// than the zero value replaces Policy.Allow. Allowed may be nil.
	Allowed func(now time.Time) (Allowance, error)
	// Missing returns possible reasons why Works are missing from the input. It is called when the
	// deletion guard refuses removals. It may be nil.
	Missing func(ctx context.Context) []string
	// Planned is called with the input of each plan that is carried out. It must not change the input.
	// It may be nil.
	Planned func(in scheduler.Input)
	// Agents returns the states that agents have reported. It may be nil.
	Agents func() AgentStates

	cache    cache
	refusals refusals
	poll     poll
	idle     idleStores
	planner  scheduler.Planner
}

// cache is state that a Reconciler keeps from round to round.
type cache struct {
	observations observations
	contents     contents
	outcomes     outcomes
	large        large
	feedback     feedbackCache
	rollouts     rolloutCache
	reported     reportedLists
}

func (m *cache) startRound(builder kustomize.Builder, stop <-chan struct{}, now time.Time) {
	m.observations.startRound()
	m.contents.interned.rotate()
	m.outcomes.startRound(builder, stop)
	m.feedback.startRound()
	m.rollouts.startRound(now)
}

// TryRefused makes the next rounds retry all content that servers have refused. It must not
// be called during a round.
func (r *Reconciler) TryRefused() { r.refusals.retry() }

// The stages of a round, as passed to Observe.
const (
	StageSource  = "source"
	StageObserve = "observe"
	StagePlan    = "plan"
	StageFinish  = "finish"
)

// Stages returns all stages in their order.
func Stages() []string { return []string{StageSource, StageObserve, StagePlan, StageFinish} }

func (r *Reconciler) stage(ctx context.Context, stage string) (inner context.Context, done func(error)) {
	if r.Observe == nil {
		return ctx, func(error) {}
	}
	return r.Observe(ctx, stage)
}

// Round runs one round: it reads everything and writes the changes. It returns an error if there is
// nothing to report. Other errors are in the report.
func (r *Reconciler) Round(ctx context.Context) (report.Report, error) {
	var before tries
	r.refusals.begin(r.time())
	for attempt := 1; ; attempt++ {
		result, err := r.try(ctx)
		if !errors.Is(err, statestore.ErrStale) || attempt == attempts {
			return before.all(result), ignoreStale(err)
		}
		before.add(result)
		if r.Pause != nil {
			r.Pause(ctx, attempt)
		}
	}
}

var errStopped = errors.New("interrupted")

func (r *Reconciler) stop(ctx context.Context) <-chan struct{} {
	if r.Stop != nil {
		return r.Stop
	}
	return ctx.Done()
}

// ignoreStale drops the error about another writer, because the report contains a finding about it.
func ignoreStale(err error) error {
	if errors.Is(err, statestore.ErrStale) {
		return nil
	}
	return err
}

// try runs the round once. It returns ErrStale, with the report, if a store has changed in the
// meantime.
func (r *Reconciler) try(ctx context.Context) (report.Report, error) {
	inner, done := r.stage(ctx, StageSource)
	snapshot, err := r.Source.Snapshot(inner)
	done(err)
	if err != nil {
		return report.Report{}, fmt.Errorf("read the input: %w", err)
	}
	r.cache.startRound(r.Builder, r.stop(ctx), r.time())
	if r.Policy.checksApply() {
		r.cache.outcomes.read.KeepNodes = keptNodes
	}
	snapshot = r.cache.contents.within(snapshot, r.Policy.MaxUnpacked)
	followInput(r, snapshot)
	inner, done = r.stage(ctx, StageObserve)
	rules := r.removalRules()
	r.cache.observations.fights.begin(rules.now)
	seen := observe(inner, snapshot, r.Stores, r.Policy, &r.cache.observations)
	done(nil)
	if r.agrees() {
		addDecisions(seen)
	}
	inner, done = r.stage(ctx, StagePlan)
	reported := r.relate(inner, seen)
	r.refusals.sweep(seen.stores)
	plan, parts, stores := r.plan(inner, seen, reported, rules)
	done(nil)
	select {
	case <-r.stop(ctx): // some files may not have been read
		r.cache.outcomes.forget()
		return report.Report{}, errStopped
	default:
	}

	out := newReporter(seen, &plan, &r.cache.large)
	out.add(parts.guard.findings(ctx, seen, r.Missing)...)
	out.add(reported.findings...)
	out.addRollouts(&parts.rollouts)
	out.addProfiles(seen, r.Policy, r.time(), &r.cache.outcomes)
	inner, done = r.stage(ctx, StageFinish)
	commit := committer{
		finish: r.Finish, refusals: &r.refusals, fights: &r.cache.observations.fights, now: r.time(), inUse: reported.inUse(),
		desired: func(store *storeView, excluded exclusions) *desired { return r.desired(inner, store, parts, excluded) },
	}
	results, stale, failed := commit.write(inner, writableStores(r, stores, out))
	done(failed)
	for _, result := range results {
		out.addResult(result.desired, result.Outcome)
	}
	out.add(budgetFindings(stores, &plan)...)
	out.report.Deliveries = reported.deliveries
	out.report.Due = soonest(soonest(r.refusals.due(r.time()), r.poll.due(r.time(), blockedPlacements(stores))), parts.rollouts.dueIn(r.time()))
	return out.result(&r.cache.reported), stale
}

func (r *Reconciler) relate(ctx context.Context, seen *observed) feedback {
	if r.Agents == nil {
		return feedback{}
	}
	return relate(ctx, seen, r.Agents(), r.Policy, &r.cache.outcomes.read, &r.cache.feedback)
}

func (r *Reconciler) removalRules() removalRules {
	rules := removalRules{now: r.time(), window: r.Policy.RemovalWindow, allowed: r.Policy.Allow}
	if r.Allowed != nil {
		allowed, err := r.Allowed(rules.now)
		rules.unreadable = err
		if allowed != (Allowance{}) && err == nil {
			rules.allowed = allowed
		}
	}
	return rules
}

func (r *Reconciler) time() time.Time {
	if r.Now == nil {
		return time.Time{}
	}
	return r.Now()
}

func followInput(r *Reconciler, snapshot source.Snapshot) {
	if follower, ok := r.Stores.(Follower); ok {
		follower.Follow(snapshot)
	}
}

// ForgetFights makes the next round write to the Destinations that fights exclude.
func (r *Reconciler) ForgetFights() {
	r.cache.observations.fights.of, r.cache.observations.fights.over = nil, nil
}
