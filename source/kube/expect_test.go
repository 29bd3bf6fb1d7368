package kube_test

import (
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

// expecting is a source whose watches send no events of WorkPlacements until holdEvents(false).
type expecting struct {
	t      *testing.T
	api    *api
	source *kube.Source
	passed atomic.Int64
}

const lagging = "existing WorkPlacement default/b"

func newExpecting(t *testing.T, contents bool) *expecting {
	t.Helper()
	e := &expecting{t: t, api: newAPI(t)}
	e.api.put("works", workJSON("b", ""))
	now := func() time.Time {
		return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC).Add(time.Duration(e.passed.Load()) * time.Second)
	}
	s, err := kube.New(e.api.config(), kube.Options{Now: now, Contents: contents})
	if err != nil {
		t.Fatal(err)
	}
	s.Follow(t.Context())
	e.source = s
	waitForContent(t, s, "Work default/b")
	e.holdEvents(true)
	return e
}

func (e *expecting) holdEvents(is bool) {
	e.api.set(func(a *api) { a.held["workplacements"] = is })
	e.api.put("secrets", secretJSON("unrelated", "eA==")) // wakes the watches
}

func attempt(version string) []kube.Attempt {
	p := kratix.NewWorkPlacement(&kratix.Work{}, &kratix.WorkloadGroup{Workloads: []kratix.Workload{{Filepath: "a.yaml", Content: "x"}}}, "worker-1")
	p.Name, p.Namespace, p.Labels[kratix.WorkLabel] = "b", "default", "b"
	return []kube.Attempt{{Object: p, Version: version}}
}

func (e *expecting) waitForContent(want ...string) {
	e.t.Helper()
	if got := contentOf(snapshot(e.t, e.source)); !slices.Equal(got, want) {
		e.t.Errorf("it has %q, want %q", got, want)
	}
}

func (e *expecting) confirmed(want bool) {
	e.t.Helper()
	if left := e.source.Confirm(e.t.Context()); left != want {
		e.t.Errorf("expectations are left: %v, want %v", left, want)
	}
}

var key = kratix.Key{Namespace: "default", Name: "b"}

func TestCreatedPlacementCountsUntilWatchShowsIt(t *testing.T) {
	for _, contents := range []bool{false, true} {
		e := newExpecting(t, contents)
		version := e.api.put("workplacements", placementJSON("b", "", ""))
		e.waitForContent("Work default/b")
		e.source.Expect(attempt(version))
		e.waitForContent("Work default/b", lagging)
		got := snapshot(t, e.source)
		if all := len(got.WorkPlacements); (all == 1) != contents || (len(got.Existing[0].Spec.Workloads) == 1) != contents {
			t.Errorf("with contents %v there are %d WorkPlacements, and %v exists", contents, all, got.Existing[0].Spec)
		}
		if !e.source.Expected(key) || e.source.Expected(kratix.Key{Namespace: "default", Name: "other"}) {
			t.Error("it is not known which one was created")
		}
		e.confirmed(true) // the watch has not shown the WorkPlacement yet
		e.holdEvents(false)
		eventually(t, func() string {
			if e.source.Expected(key) {
				return "the watch has not shown it"
			}
			return ""
		})
		e.waitForContent("Work default/b", lagging)
		e.confirmed(false)
		e.api.remove("workplacements", "default/b")
		waitForContent(t, e.source, "Work default/b")
	}
}

func TestOlderVersionDoesNotFulfilExpectation(t *testing.T) {
	e := newExpecting(t, true)
	e.holdEvents(false)
	old := e.api.put("workplacements", placementJSON("b", "", ""))
	waitForContent(t, e.source, "Work default/b", lagging)
	number, err := strconv.Atoi(old)
	if err != nil {
		t.Fatal(err)
	}
	e.source.Expect(attempt(strconv.Itoa(number + 5)))
	if !e.source.Expected(key) {
		t.Error("the older one is taken for it")
	}
	e.waitForContent("Work default/b", lagging) // the WorkPlacement is listed once, although it is in the watch and expected
}

func TestCreateWithoutResponseCountsUntilConfirmed(t *testing.T) {
	e := newExpecting(t, false)
	e.source.Expect(attempt(""))
	if e.source.Expected(key) {
		t.Error("it is said to be there, though nobody knows")
	}
	e.confirmed(true)
	e.waitForContent("Work default/b", lagging)
	e.passed.Add(50)
	e.source.Expect(attempt("")) // a second attempt to create the WorkPlacement
	e.passed.Add(50)
	e.confirmed(true)
	e.waitForContent("Work default/b", lagging)
	e.api.set(func(a *api) { a.refused["list workplacements"] = 500 })
	e.passed.Add(50)
	e.confirmed(true) // an error does not show that the WorkPlacement does not exist
	e.waitForContent("Work default/b", lagging)
	e.api.set(func(a *api) { delete(a.refused, "list workplacements") })
	changes, err := e.source.Changes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-changes: // the change that starts the first round
	case <-time.After(100 * time.Millisecond):
	}
	e.confirmed(false)
	e.waitForContent("Work default/b")
	select {
	case <-changes:
	case <-time.After(10 * time.Second):
		t.Error("no round is asked for, though the request has to be placed")
	}
}

func TestCreateWithoutResponseIsFound(t *testing.T) {
	e := newExpecting(t, true)
	e.source.Expect(attempt(""))
	e.api.put("workplacements", placementJSON("b", `,"annotations":{"whose":"another's"}`, ""))
	e.confirmed(true)
	if !e.source.Expected(key) {
		t.Error("it is not known to be there")
	}
	e.waitForContent("Work default/b", lagging)
	if got := snapshot(t, e.source).Existing[0]; got.Annotations["whose"] == "" || got.ResourceVersion == "" {
		t.Errorf("what is there counts as %+v", got.ObjectMeta)
	}
	// The WorkPlacement is deleted before the watch has shown it.
	e.api.remove("workplacements", "default/b")
	e.waitForContent("Work default/b", lagging)
	e.passed.Add(61)
	e.confirmed(false)
	e.waitForContent("Work default/b")
}
