package handover_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/handover"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/projected"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

type cluster struct {
	t        *testing.T
	snapshot source.Snapshot
	store    *memory.Store
	takeover handover.Takeover
	// most is the limit for the unpacked size of all Works.
	most            int64
	breaks, unknown []string
	verdict         handover.Verdict
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{t: t, store: memory.New("GitStateStore default")}
	c.snapshot.GitStateStores, c.snapshot.FromAPI = []*kratix.GitStateStore{testkit.GitStore("default", "https://example.com/a.git")}, true
	for i, environment := range []string{"dev", "dev", "prod"} {
		labels := map[string]string{"environment": environment, "on": strconv.Itoa(i + 1)}
		c.snapshot.Destinations = append(c.snapshot.Destinations, testkit.Destination(fmt.Sprint("worker-", i+1), testkit.Labelled(labels)))
	}
	return c
}

func (c *cluster) Changes(context.Context) (<-chan struct{}, error) { return nil, nil }

func (c *cluster) Snapshot(context.Context) (source.Snapshot, error) {
	slices.SortFunc(c.snapshot.Works, source.Compare)
	slices.SortFunc(c.snapshot.WorkPlacements, source.Compare)
	c.snapshot.Existing = c.snapshot.WorkPlacements
	c.takeover = handover.Expand(reconcile.Within(c.snapshot, c.most))
	return c.takeover.Input, nil
}

func (c *cluster) Open(kratix.StateStoreReference, kratix.Object, *kratix.Secret) (statestore.Store, error) {
	return c.store, nil
}

func (c *cluster) work(name, label, value string, configMaps ...string) *kratix.Work {
	w := testkit.Request(name, testkit.WithSelector(map[string]string{label: value}), testkit.WithConfigMaps(configMaps...))
	c.snapshot.Works = slices.DeleteFunc(c.snapshot.Works, func(other *kratix.Work) bool { return other.Name == name })
	c.snapshot.Works = append(c.snapshot.Works, w)
	return w
}

func (c *cluster) place(w *kratix.Work, destination string, conditions ...string) *kratix.WorkPlacement {
	p := testkit.Placement(w, destination)
	for _, kind := range conditions {
		p.Status.Conditions = append(p.Status.Conditions, metav1.Condition{Type: kind, Status: metav1.ConditionTrue})
	}
	c.snapshot.WorkPlacements = append(c.snapshot.WorkPlacements, p)
	return p
}

func (c *cluster) breaksAsText() []string {
	c.t.Helper()
	now := func() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }
	r := &reconcile.Reconciler{
		Source: c, Stores: &projected.Stores{Opener: c, Now: now, Implied: c.impliedPlacements}, Finish: reconcile.Preview, Now: now,
		Policy: reconcile.Policy{Adopt: true, Unrecorded: true, MaxUnpacked: math.MaxInt64},
	}
	result, err := r.Round(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	verdict := c.takeover.Judge(result)
	c.verdict, c.unknown = verdict, nil
	for _, f := range verdict.Unknown {
		c.unknown = append(c.unknown, f.Rule.ID+" "+f.Place.Object)
	}
	var breaks []string
	for _, b := range verdict.Breaks {
		breaks = append(breaks, fmt.Sprintf("%s on %s (+%d) %s", b.Work, b.Destination, b.Others, b.WorkPlacement))
		for _, f := range b.Findings {
			if want := "Work " + b.Work; f.Place.Object != want {
				c.t.Errorf("a finding is about %q, want %q", f.Place.Object, want)
			}
			for _, related := range f.Related {
				if slices.ContainsFunc([]rune(related.Place.Object), func(r rune) bool { return r == '@' }) {
					c.t.Errorf("a finding names %q", related.Place.Object)
				}
			}
		}
		if len(b.Findings) == 0 {
			c.t.Errorf("no finding says why %+v", b)
		}
	}
	if verdict.IsSafe() != (len(breaks)+len(c.unknown) == 0) {
		c.t.Errorf("safe is %v with %v", verdict.IsSafe(), breaks)
	}
	c.breaks = breaks
	return breaks
}

func (c *cluster) setFilepathMode(mode string) {
	for _, d := range c.snapshot.Destinations {
		d.Spec.Filepath.Mode = mode
	}
}

func (c *cluster) expect(want ...string) {
	c.t.Helper()
	if got := c.breaksAsText(); !slices.Equal(got, want) {
		c.t.Errorf("Kratix would break %q, want %q", got, want)
	}
	if len(c.unknown) > 0 {
		c.t.Errorf("unknown are %q", c.unknown)
	}
}

var noon = metav1.NewTime(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))

const isWritten = kratix.WriteSucceededCondition

func TestRequestIsPlacedOnEachFittingDestination(t *testing.T) {
	for name, prepare := range map[string]func(*cluster){
		"as it is":                  func(*cluster) {},
		"Kratix ignores cordons":    func(c *cluster) { c.annotate(scheduler.CordonAnnotation, "true") },
		"Kratix ignores capacities": func(c *cluster) { c.annotate(scheduler.CapacityAnnotation, "0") },
		"Kratix ignores readiness":  func(c *cluster) { c.unready("worker-1") },
		"Kratix ignores match expressions": func(c *cluster) {
			selector := &c.snapshot.Works[len(c.snapshot.Works)-1].Spec.WorkloadGroups[0].DestinationSelectors[0]
			selector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "on", Operator: metav1.LabelSelectorOpIn, Values: []string{"2"}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.place(c.work("owner", "on", "1", "x"), "worker-1", isWritten)
			c.work("new", "environment", "dev", "x")
			prepare(c)
			c.expect("default/new on worker-1 (+0) ")
		})
	}
	t.Run("a conflict on several is one break", func(t *testing.T) {
		c := newCluster(t)
		for _, n := range []string{"1", "2", "3"} {
			c.place(c.work("owner-"+n, "on", n, "x"), "worker-"+n, isWritten)
		}
		c.work("new", "environment", "dev", "x")
		c.expect("default/new on worker-1 (+1) ")
	})
	t.Run("two new Works", func(t *testing.T) {
		c := newCluster(t)
		c.work("a", "environment", "dev", "x")
		c.work("b", "on", "2", "x")
		c.expect("default/b on worker-2 (+0) ")
	})
	t.Run("nowhere", func(t *testing.T) {
		c := newCluster(t)
		c.place(c.work("owner", "on", "1", "x"), "worker-1", isWritten)
		c.work("new", "environment", "nobody", "x")
		c.expect()
	})
	t.Run("a dry run is placed on a Destination for dry runs", func(t *testing.T) {
		c := newCluster(t)
		c.place(c.work("owner", "on", "1", "x"), "worker-1", isWritten)
		c.snapshot.Destinations[2].Labels[kratix.DryRunLabel] = "true"
		c.place(c.work("other", "on", "3", "x"), "worker-3", isWritten)
		c.work("new", "environment", "dev", "x").Labels = map[string]string{kratix.DryRunLabel: "true"}
		c.expect("default/new on worker-3 (+0) ")
	})
}

func TestBreakCountsFittingDestinations(t *testing.T) {
	c := newCluster(t)
	c.place(c.work("owner", "on", "1", "x", "y"), "worker-1", isWritten)
	c.work("one-of-two", "environment", "dev", "x")
	c.work("the-only-one", "on", "1", "y")
	c.place(c.work("placed", "environment", "dev", "a"), "worker-1", isWritten)
	c.work("placed", "environment", "dev", "x")
	c.breaksAsText()
	for _, b := range c.verdict.Breaks {
		want := map[string]int{"default/one-of-two": 2, "default/the-only-one": 1}[b.Work]
		if b.Fitting != want {
			t.Errorf("%s has a choice of %d, want %d", b.Work, b.Fitting, want)
		}
	}
	if len(c.verdict.Breaks) < 3 {
		t.Errorf("breaks %q", c.breaks)
	}
}

func (c *cluster) annotate(name, value string) {
	for _, d := range c.snapshot.Destinations {
		d.Annotations = map[string]string{name: value}
	}
}

func (c *cluster) unready(name string) {
	for _, d := range c.snapshot.Destinations {
		if d.Name == name {
			d.Status.Conditions = []metav1.Condition{{Type: kratix.ReadyCondition, Status: metav1.ConditionFalse}}
		}
	}
}

func TestPlacedGroupIsWrittenWithCurrentContents(t *testing.T) {
	c := newCluster(t)
	c.place(c.work("owner", "on", "1", "x"), "worker-1", isWritten)
	c.place(c.work("changed", "environment", "dev", "y"), "worker-1", isWritten)
	c.expect()
	c.work("changed", "environment", "dev", "y", "x")
	c.expect("default/changed on worker-1 (+0) changed.worker-1-5058f")
	c.work("changed", "environment", "dev", "z")
	c.expect()
}

func TestDeletedPlacementIsPlacedAgain(t *testing.T) {
	for name, prepare := range map[string]func(*kratix.Destination, *kratix.WorkPlacement){
		"a WorkPlacement that is deleted": func(_ *kratix.Destination, p *kratix.WorkPlacement) { p.DeletionTimestamp = &noon },
		"one on a Destination that is cleaned up": func(d *kratix.Destination, _ *kratix.WorkPlacement) {
			d.DeletionTimestamp, d.Spec.Cleanup = &noon, "all"
		},
	} {
		for _, mode := range []string{kratix.NestedByMetadata, kratix.None, kratix.AggregatedYAML} {
			t.Run(name+", "+mode, func(t *testing.T) {
				prepared := func(t *testing.T) *cluster {
					c := newCluster(t)
					c.setFilepathMode(mode)
					prepare(c.snapshot.Destinations[0], c.place(c.work("leaver", "environment", "dev", "x"), "worker-1", isWritten))
					return c
				}
				prepared(t).expect()
				c := prepared(t)
				c.place(c.work("owner", "on", "2", "x"), "worker-2", isWritten)
				c.expect("default/leaver on worker-2 (+0) ")
			})
		}
	}
	t.Run("its files stay until it is deleted", func(t *testing.T) {
		c := newCluster(t)
		c.place(c.work("leaver", "environment", "dev", "x"), "worker-1", isWritten).DeletionTimestamp = &noon
		c.work("leaver", "environment", "dev", "y")
		c.place(c.work("changed", "on", "1", "z"), "worker-1", isWritten)
		c.work("changed", "on", "1", "x")
		c.expect("default/changed on worker-1 (+0) changed.worker-1-5058f")
	})
	t.Run("a Destination that leaves its files", func(t *testing.T) {
		c := newCluster(t)
		c.place(c.work("stays", "environment", "dev", "x"), "worker-1", isWritten)
		c.snapshot.Destinations[0].DeletionTimestamp = &noon
		c.place(c.work("owner", "on", "2", "x"), "worker-2", isWritten)
		c.expect()
	})
}

func TestInterruptedMoveIsNotContinued(t *testing.T) {
	c := newCluster(t)
	w := c.work("moving", "environment", "dev", "y")
	c.place(w, "worker-1", isWritten)
	c.place(w, "worker-2", isWritten).Labels[kratix.MovedFromLabel] = "worker-1"
	c.expect()
	c.place(c.work("owner", "on", "1", "x"), "worker-1", isWritten)
	c.work("moving", "environment", "dev", "y", "x")
	c.expect("default/moving on worker-1 (+0) moving.worker-1-5058f")
}

func TestOnDemandDependencyIsPlacedEverywhere(t *testing.T) {
	c := newCluster(t)
	owner := c.work("owner", "on", "2", "x")
	owner.Spec.ResourceName, owner.Spec.PromiseName = "", "other"
	c.place(owner, "worker-2", isWritten)
	dependency := c.work("dependency", "environment", "dev", "x")
	dependency.Spec.ResourceName, dependency.Annotations = "", map[string]string{scheduler.DependenciesAnnotation: scheduler.OnDemand}
	c.expect("default/dependency on worker-2 (+0) ")
}

func TestStrictDestinationWithoutLabelsAcceptsWorkWithoutSelectors(t *testing.T) {
	for kind, request := range map[string]string{"dependency": "", "request": "any"} {
		for name, labels := range map[string]map[string]string{"without": nil, "with": {"environment": "dev"}} {
			t.Run(kind+", "+name+" labels", func(t *testing.T) {
				c := newCluster(t)
				owner := c.work("owner", "on", "1", "x")
				owner.Spec.PromiseName, owner.Spec.ResourceName = "other", request
				c.place(owner, "worker-1", isWritten)
				w := c.work("any", "", "", "x")
				w.Spec.ResourceName, w.Spec.WorkloadGroups[0].DestinationSelectors = request, nil
				c.snapshot.Destinations[0].Labels, c.snapshot.Destinations[0].Spec.StrictMatchLabels = labels, true
				if labels != nil {
					c.expect()
					return
				}
				c.expect("default/any on worker-1 (+0) ")
			})
		}
	}
}

func TestUnwrittenWorkPlacementWouldBeWritten(t *testing.T) {
	c := newCluster(t)
	c.place(c.work("owner", "on", "1", "x"), "worker-1", isWritten)
	c.place(c.work("new", "environment", "dev", "x"), "worker-1")
	c.expect("default/new on worker-1 (+0) new.worker-1-5058f")
	dependency := c.work("promise", "on", "2", "y")
	dependency.Spec.ResourceName = ""
	c.place(dependency, "worker-2")
	c.expect("default/new on worker-1 (+0) new.worker-1-5058f")
}

func TestExistingConflictIsReported(t *testing.T) {
	c := newCluster(t)
	c.place(c.work("a", "on", "1", "x"), "worker-1", isWritten)
	c.place(c.work("b", "on", "1", "x"), "worker-1", isWritten)
	c.expect("default/b on worker-1 (+0) b.worker-1-5058f")
}

func TestOnlyUnwrittenPlacementsAreRemovable(t *testing.T) {
	const nested, flat, joined = kratix.NestedByMetadata, kratix.None, kratix.AggregatedYAML
	c := newCluster(t)
	w := c.work("a", "on", "1", "x")
	for name, test := range map[string]struct {
		mode      string
		state     report.State
		inStore   bool
		versionID string
		condition metav1.ConditionStatus
		want      bool
	}{
		"held back, and never written": {mode: nested, state: report.HeldBack, want: true},
		"as are lists":                 {mode: flat, state: report.HeldBack, want: true},
		"not held back":                {mode: nested, state: report.Placed},
		"kept":                         {mode: nested, state: report.Kept},
		"in the store":                 {mode: nested, state: report.HeldBack, inStore: true},
		"in a commit":                  {mode: nested, state: report.HeldBack, versionID: "c0ffee"},
		"written":                      {mode: nested, state: report.HeldBack, condition: metav1.ConditionTrue},
		"not written, into a directory of its own":  {mode: nested, state: report.HeldBack, condition: metav1.ConditionFalse, want: true},
		"not written, or half of it":                {mode: flat, state: report.HeldBack, condition: metav1.ConditionFalse},
		"not written the last time, and the first?": {mode: joined, state: report.HeldBack, condition: metav1.ConditionFalse},
		"in a file of many":                         {mode: joined, state: report.HeldBack},
	} {
		c.snapshot.Destinations[0].Spec.Filepath.Mode = test.mode
		p := c.place(w, "worker-1")
		p.Status.VersionID = test.versionID
		if test.condition != "" {
			p.Status.Conditions = []metav1.Condition{{Type: isWritten, Status: test.condition}}
		}
		said := report.Report{Placements: []report.Placement{{State: test.state, Written: test.inStore, Object: testkit.Placement(w, "worker-1")}}}
		if got := handover.Removable(said, []*kratix.WorkPlacement{p}, c.snapshot.Destinations); (len(got) > 0) != test.want {
			t.Errorf("%s: removable are %d", name, len(got))
		}
	}
	p := c.place(w, "gone")
	said := report.Report{Placements: []report.Placement{{State: report.HeldBack, Object: p}}}
	if got := handover.Removable(said, []*kratix.WorkPlacement{p}, c.snapshot.Destinations); len(got) > 0 {
		t.Error("one whose Destination is not known is removable")
	}
}
