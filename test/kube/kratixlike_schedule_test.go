package kube

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

func (c *cluster) destinationsOf(work string) []string {
	c.t.Helper()
	names := strings.Fields(c.kubectl("get", "workplacements", "-l", kratix.WorkLabel+"="+work, "-o", "jsonpath={.items[*].spec.targetDestinationName}"))
	slices.Sort(names)
	return names
}

func (c *cluster) waitForDestinations(work string, want ...string) {
	c.t.Helper()
	c.eventually("WorkPlacements of "+work, func() string {
		if got := c.destinationsOf(work); !slices.Equal(got, want) {
			return fmt.Sprintf("on %v, want %v", got, want)
		}
		return ""
	})
}

func TestKratixlikeSchedules(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	for _, name := range []string{"worker-1", "worker-2"} {
		p.destination(name, "default", "none", map[string]string{"name": name, "random": "yes"})
	}
	p.standIn(kratixlike.Options{})
	p.run("a request on a random match", (*platform).requestsAreSpread)
	p.run("a placement stays where it is", (*platform).placementsStay)
	p.run("a dependency on every match", (*platform).dependenciesAreEverywhere)
	p.run("a vanished group", (*platform).vanishedGroupsGo)
	p.run("no match, and a match that is not ready", (*platform).readinessMakesNoDifference)
	p.run("a deleted Work takes those of its name along", (*platform).cleanUpGoesByName)
}

func (p *platform) requestsAreSpread(t *testing.T) {
	const count = 16
	var works []string
	list := map[string]any{"apiVersion": "v1", "kind": "List"}
	var items []any
	for i := range count {
		works = append(works, fmt.Sprint("spread-", i))
		items = append(items, work(works[i], map[string]string{"random": "yes"}, works[i]))
	}
	list["items"] = items
	p.object(list)
	p.kubectl("wait", "--for=condition=Ready", "--timeout=40s", "works", "--all")
	used := map[string]int{}
	for _, name := range works {
		on := p.destinationsOf(name)
		if len(on) != 1 {
			t.Errorf("%s is on %v, want one Destination", name, on)
		}
		used[strings.Join(on, " ")]++
	}
	if len(used) != 2 {
		t.Errorf("%d Works are on %v, want some on each of two", count, used)
	}
	placement := "workplacement/" + works[0] + "." + p.destinationsOf(works[0])[0] + "-5058f"
	want := map[string]string{
		"{.metadata.finalizers}":         `["` + kratix.PlacementFinalizer + `"]`,
		"{.metadata.ownerReferences[0]}": p.get("work/"+works[0], "{.metadata.uid}"),
		"{.spec.generation}":             "1",
		"{.spec.id}":                     kratix.GroupID("."),
		"{.metadata.labels}":             `"kratix.io/pipeline-name":"instance"`,
		"{.status.conditions[*].reason}": "ScheduledToDestination",
		"{.spec.promiseName}":            "redis",
		"{.spec.resourceName}":           works[0],
		"{.metadata.managedFields[*]}":   `"manager":"manager"`,
	}
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if got := p.get(placement, path); !strings.Contains(got, want[path]) {
			t.Errorf("%s %s is %s, want %s", placement, path, got, want[path])
		}
	}
	p.waitForField("work/"+works[0], "{.status.workPlacements} {.status.workPlacementsCreated} {.metadata.finalizers[0]}", "1 1 "+kratix.WorkFinalizer)
}

func (p *platform) placementsStay(t *testing.T) {
	w := work("stays", map[string]string{"random": "yes"}, "old")
	p.object(w)
	p.waitForCondition("work/stays", "Ready", "True AllWorkplacementsScheduled")
	at := p.destinationsOf("stays")[0]
	placement := "workplacement/stays." + at + "-5058f"
	p.kubectl("label", "destination/"+at, "random-")
	p.waitForCondition("work/stays", "Ready", "False Misplaced")
	p.waitForCondition("work/stays", "ScheduleSucceeded", "False DestinationSelectorMismatch")
	p.waitForCondition(placement, "ScheduleSucceeded", "False DestinationSelectorMismatch")

	w = work("stays", map[string]string{"random": "yes"}, "new")
	p.object(w)
	p.waitForField(placement, "{.spec.generation} {.spec.workloads[*].filepath}", "2 new.yaml")
	p.waitForDestinations("stays", at)
	p.kubectl("label", "destination/"+at, "random=yes")
	other := work("later", map[string]string{"name": at}, "later")
	p.object(other)
	p.waitForCondition("work/later", "Ready", "True AllWorkplacementsScheduled")
	if got := p.get(placement, `{.metadata.labels.kratix\.io/misplaced}`); got != "true" {
		t.Errorf("the misplaced label is %q after the Destination matches again, want true", got)
	}
}

func (p *platform) dependenciesAreEverywhere(*testing.T) {
	w := work("everywhere", map[string]string{"dependency": "yes"}, "everywhere")
	w.Spec.ResourceName = ""
	p.kubectl("label", "destinations", "--all", "dependency=yes")
	p.object(w)
	p.waitForDestinations("everywhere", "worker-1", "worker-2")
	p.destination("worker-3", "default", "none", map[string]string{"dependency": "yes"})
	p.waitForDestinations("everywhere", "worker-1", "worker-2", "worker-3")
	p.kubectl("delete", "destination/worker-3")
	p.waitForCondition("work/everywhere", "Ready", "False Misplaced")
	p.waitForDestinations("everywhere", "worker-1", "worker-2", "worker-3")
}

func (p *platform) vanishedGroupsGo(*testing.T) {
	w := work("groups", map[string]string{"name": "worker-1"}, "one")
	second := *w.Spec.WorkloadGroups[0].DeepCopy()
	second.ID, second.Directory = kratix.GroupID("second"), "second"
	second.DestinationSelectors = []kratix.Selector{
		{MatchLabels: map[string]string{"name": "worker-2"}, Source: kratix.PromiseSource},
		{MatchLabels: map[string]string{"name": "worker-1"}, Source: kratix.ResourceWorkflowSource},
	}
	w.Spec.WorkloadGroups = append(w.Spec.WorkloadGroups, second)
	p.object(w)
	p.waitForDestinations("groups", "worker-1", "worker-2")
	p.waitForField("work/groups", "{.status.workPlacements} {.status.workPlacementsCreated}", "2 2")
	p.object(work("groups", map[string]string{"name": "worker-1"}, "one"))
	p.waitForDestinations("groups", "worker-1")
}

func (p *platform) readinessMakesNoDifference(*testing.T) {
	p.object(work("nowhere", map[string]string{"name": "nobody"}, "nowhere"))
	p.waitForCondition("work/nowhere", "Ready", "False UnscheduledWorkloads")
	p.waitForCondition("work/nowhere", "ScheduleSucceeded", "False UnscheduledWorkloads")
	p.waitForField("work/nowhere", "{.status.workPlacements} {.status.workPlacementsCreated}", "1 0")
	p.destination("unready", "missing", "none", map[string]string{"name": "nobody"})
	p.waitForCondition("destination/unready", "Ready", "False StateStoreNotFound")
	p.waitForDestinations("nowhere", "unready")
	p.waitForCondition("workplacement/nowhere.unready-5058f", "WriteSucceeded", "False WorkloadsFailedWrite")
	p.waitForCondition("work/nowhere", "Ready", "False WorkplacementsFailing")
	p.gitStore("missing", "") // the creation of the store causes an event
	p.waitForCondition("work/nowhere", "Ready", "True AllWorkplacementsScheduled")
	p.waitForCondition("destination/unready", "Ready", "True TestDocumentsWritten")
	p.waitForCondition("gitstatestore/missing", "Ready", "True StateStoreReady")
}

func (p *platform) cleanUpGoesByName(*testing.T) {
	p.kubectl("create", "namespace", "other")
	here, there := work("same", map[string]string{"name": "worker-1"}, "here"), work("same", map[string]string{"name": "worker-1"}, "there")
	there.Namespace = "other"
	p.object(here)
	p.object(there)
	both := "{.items[?(@.metadata.name==\"same.worker-1-5058f\")].metadata.namespace}"
	p.waitForField("workplacements -A", both, "default other")
	uid := p.get("workplacement/same.worker-1-5058f -n other", "{.metadata.uid}")
	p.kubectl("delete", "work/same", "--timeout=40s")
	p.eventually("the WorkPlacement of the other namespace", func() string {
		if got := p.get("workplacement/same.worker-1-5058f -n other", "{.metadata.uid}"); got == uid || got == "" {
			return "it was not replaced"
		}
		return ""
	})
	p.waitForField("workplacements -A", both, "other")
}
