// Package reconcile turns everything wanted and everything stored into the
// changes between them, and has them written. It joins the stages; what each
// does is in its own package. All I/O is behind its Source and its stores.
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

// Reconciler does rounds, one at a time. It remembers what it may forget: the
// stores say what is placed.
type Reconciler struct {
	Source source.Source
	Stores statestore.Opener
	Finish Finish
	Policy Policy
	// Planner decides where everything goes; nil is a scheduler.Planner.
	Planner Planner
	// Pause waits before a round is tried again, after attempt tries; nil does
	// not wait.
	Pause func(ctx context.Context, attempt int)
	// Observe is called when a stage begins; the stage runs with the context it
	// returns, and done when the stage ends. nil means that nobody looks.
	Observe func(ctx context.Context, stage string) (inner context.Context, done func(error))
	// Builder builds directories with a kustomization; nil builds them in this
	// process, which a build without end would hold up.
	Builder kustomize.Builder
	// Stop ends a round before it writes anything, when it is closed; nil is the end
	// of the round's context.
	Stop <-chan struct{}
	// Selects reports whether this process writes to a state store with some labels, as
	// one of several shards; nil means that it writes to all state stores.
	Selects func(labels map[string]string) bool
	// Now returns the time of a round. nil means that nothing is remembered of
	// earlier removals: the deletion guard judges each round alone; and that what a
	// server refused is tried again only when its content changes, or TryRefused is
	// called.
	Now func() time.Time
	// Allowed returns how many removals a user allows at a time, beside the policy,
	// and why it cannot be read; nil is no more than the policy.
	Allowed func(now time.Time) (Allowance, error)
	// Missing returns why Works may be missing from the input, a line a reason; it
	// is called when the deletion guard refuses. nil returns nothing.
	Missing func(ctx context.Context) []string

	cache    cache
	refusals refusals
	waits    waits
	idle     idleStores
	planner  scheduler.Planner
}

// cache is what a Reconciler keeps from round to round. It may be lost: that costs time
// and nothing else. The zero value is ready for use.
type cache struct {
	observations observations
	contents     contents
	outcomes     outcomes
	large        large
	reported     placementList
}

// turn begins a round.
func (m *cache) turn(builder kustomize.Builder, stop <-chan struct{}) {
	m.observations.turn()
	m.contents.shared.turn()
	m.outcomes.turn(builder, stop)
}

// TryRefused has the next rounds try everything again that servers have refused
// for its content. It must not be called during a round.
func (r *Reconciler) TryRefused() { r.refusals.retry() }

// The stages of a round, as Observe is called with them. A round that is tried again
// has each of them again.
const (
	StageSource  = "source"
	StageObserve = "observe"
	StagePlan    = "plan"
	StageFinish  = "finish"
)

// Stages returns all stages in their order.
func Stages() []string { return []string{StageSource, StageObserve, StagePlan, StageFinish} }

// stage begins a stage.
func (r *Reconciler) stage(ctx context.Context, stage string) (inner context.Context, done func(error)) {
	if r.Observe == nil {
		return ctx, func(error) {}
	}
	return r.Observe(ctx, stage)
}

// Round does one round: it reads everything and makes the stores what they should be. The
// error is only for what leaves nothing to report; everything else is in the
// report.
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

// errStopped is a round that was ended before it wrote anything.
var errStopped = errors.New("interrupted")

// stop returns what ends a round.
func (r *Reconciler) stop(ctx context.Context) <-chan struct{} {
	if r.Stop != nil {
		return r.Stop
	}
	return ctx.Done()
}

// ignoreStale: when all attempts met another writer, the report says so.
func ignoreStale(err error) error {
	if errors.Is(err, statestore.ErrStale) {
		return nil
	}
	return err
}

// try is one round:
//
//	source     everything there is
//	stores     everything stored, and the records of what is placed
//	scheduler  who goes where
//	layout     the files of each placement
//	dedupe     who may be written without breaking a Destination; what may not
//	           is scheduled once more, in case another Destination takes it
//	withhold   what is new of requests waits until their Works say where it goes,
//	           if there are several shards
//	diff       the changes, one set a store
//	finish     written, what lies in one place at once, or only shown
//
// It returns ErrStale, beside the report, when a store moved on meanwhile.
func (r *Reconciler) try(ctx context.Context) (report.Report, error) {
	inner, done := r.stage(ctx, StageSource)
	snapshot, err := r.Source.Snapshot(inner)
	done(err)
	if err != nil {
		return report.Report{}, fmt.Errorf("read the input: %w", err)
	}
	r.cache.turn(r.Builder, r.stop(ctx))
	snapshot = r.cache.contents.within(snapshot, r.Policy.MaxUnpacked)
	followInput(r, snapshot)
	inner, done = r.stage(ctx, StageObserve)
	rules := r.removalRules()
	r.cache.observations.fights.begin(rules.now)
	seen := observe(inner, snapshot, r.Stores, r.Policy, &r.cache.observations)
	done(nil)
	if r.agrees() {
		takeDecisions(seen)
	}
	inner, done = r.stage(ctx, StagePlan)
	r.refusals.sweep(seen.stores)
	plan, parts, stores := r.plan(inner, seen, rules)
	done(nil)
	select {
	case <-r.stop(ctx): // not all files may have been read, so nothing of it may be reused
		r.cache.outcomes.forget()
		return report.Report{}, errStopped
	default:
	}

	out := newReporter(seen, &plan, &r.cache.large)
	out.add(parts.guard.findings(ctx, seen, r.Missing)...)
	inner, done = r.stage(ctx, StageFinish)
	commit := committer{
		finish: r.Finish, refusals: &r.refusals, fights: &r.cache.observations.fights, now: r.time(),
		desire: func(store *storeView, excluded exclusions) *desired { return r.desire(inner, store, parts, excluded) },
	}
	results, stale, failed := commit.write(inner, writableStores(r, stores, out))
	done(failed)
	for _, result := range results {
		out.addResult(result.desired, result.Outcome)
	}
	out.report.Due = soonest(r.refusals.due(r.time()), r.waits.due(r.time(), waiting(stores)))
	return out.result(&r.cache.reported), stale
}

// removalRules returns what the deletion guard goes by, at the beginning of a round.
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

// time returns the time of the round; the zero time where nobody hands it in.
func (r *Reconciler) time() time.Time {
	if r.Now == nil {
		return time.Time{}
	}
	return r.Now()
}

// followInput hands the input to an Opener whose stores depend on it.
func followInput(r *Reconciler, snapshot source.Snapshot) {
	if follower, ok := r.Stores.(Follower); ok {
		follower.Follow(snapshot)
	}
}

// ForgetFights has the next round write to the Destinations that were left to
// another controller.
func (r *Reconciler) ForgetFights() {
	r.cache.observations.fights.of, r.cache.observations.fights.over = nil, nil
}
