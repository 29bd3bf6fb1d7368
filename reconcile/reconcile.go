// Package reconcile turns everything wanted and everything stored into the
// changes between them, and has them written. It joins the stages; what each
// does is in its own package. All I/O is behind its Source and its stores.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Follower is a statestore.Opener whose stores depend on what there is. It is handed the
// input of a round before a store is opened.
type Follower interface {
	Follow(snapshot source.Snapshot)
}

// Planner decides where everything goes. It is called several times in a round.
type Planner interface {
	Plan(in scheduler.Input) scheduler.Result
}

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
	// Mine reports whether this process writes to a place, as kratix.Location names
	// it, where several processes share the stores; nil means that it writes to all.
	Mine func(place string) bool
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

	memo     memo
	refusals refusals
	waits    waits
	planner  scheduler.Planner
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

// attempts is how often a round is tried while other writers get in first.
const attempts = 5

// Round looks at everything once and makes the stores what they should be. The
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
//	share      what is new of requests waits until their Works say where it goes,
//	           if several processes share the stores
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
	r.memo.turn(r.Builder, r.stop(ctx))
	snapshot = r.memo.contents.within(snapshot, r.Policy.MaxUnpacked)
	r.follow(snapshot)
	inner, done = r.stage(ctx, StageObserve)
	guard := r.guardState()
	r.memo.fights.begin(guard.now)
	world := observe(inner, snapshot, r.Stores, r.Policy, &r.memo)
	world.guardState = guard
	done(nil)
	if r.Mine != nil {
		world.heed()
	}
	inner, done = r.stage(ctx, StagePlan)
	r.refusals.sweep(world.stores)
	plan, parts, stores := r.plan(inner, world)
	done(nil)
	select {
	case <-r.stop(ctx): // not all files may have been read, so nothing of it may be reused
		r.memo.outcomes, r.memo.clusters = recall[*kratix.Destination, settled]{}, recall[clusterKey, *dedupe.Memory]{}
		return report.Report{}, errStopped
	default:
	}

	out := newReporter(world, &plan, &r.memo.large)
	out.add(world.guardFindings(ctx, r.Missing)...)
	inner, done = r.stage(ctx, StageFinish)
	var ready []*desired
	for _, store := range stores {
		if r.Mine != nil && !r.Mine(store.place()) {
			out.elsewhere(store)
			continue
		}
		if store.failed != nil {
			out.failed(store)
			continue
		}
		ready = append(ready, store)
	}
	stale, failed := r.write(inner, parts, ready, out)
	done(failed)
	out.said.Due = soonest(r.refusals.due(r.time()), r.waits.due(r.time(), waiting(stores)))
	return out.report(&r.memo.told), stale
}

// follow hands the input to an opener whose stores depend on it.
func (r *Reconciler) follow(snapshot source.Snapshot) {
	if follower, ok := r.Stores.(Follower); ok {
		follower.Follow(snapshot)
	}
}

// replans bounds how often a plan is made anew because of clashes.
const replans = 8

// plan decides where everything goes and what may be written there. Groups that
// would clash where they are new are tried elsewhere, while that helps.
func (r *Reconciler) plan(ctx context.Context, world *world) (scheduler.Result, *planning, []*desired) {
	input := r.Policy.apply(world.input())
	clashing := clashes{}
	for again := 0; ; again++ {
		plan := r.placer().Plan(input)
		parts, stores := r.desireAll(ctx, world, &plan)
		if len(input.Destinations) < 2 || again == replans || !clashing.learn(stores) {
			if r.Mine != nil {
				stores = r.withhold(ctx, parts, stores)
			}
			return plan, parts, stores
		}
		input.Clashes = clashing.has
	}
}

// placer returns what decides where everything goes.
func (r *Reconciler) placer() Planner {
	if r.Planner != nil {
		return r.Planner
	}
	return &r.planner
}

// Failure makes a store's error a finding.
func Failure(place finding.Place, err error) finding.Finding {
	f := finding.Finding{Rule: finding.StoreFailed(), Place: place, Message: err.Error(), Cause: causeOf(err)}
	var told *statestore.Error
	if errors.As(err, &told) {
		f.Fix = told.Hint
	}
	if told != nil && told.Field != "" && !strings.Contains(f.Fix, told.Field) {
		f.Fix = andThen(f.Fix, "check "+told.Field)
	}
	if statestore.Passes(err) {
		f.Fix = andThen(f.Fix, "the next round tries again")
		if wait := statestore.RetryAfter(err); wait > 0 {
			f.Fix += ", not before " + wait.Round(time.Second).String() + " have passed, as the server asks"
		}
	}
	return f
}

// andThen puts one more thing to do behind a fix; there may be none.
func andThen(fix, more string) string {
	if fix == "" {
		return more
	}
	return strings.TrimSuffix(fix, ".") + "; " + more
}
