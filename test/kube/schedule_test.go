package kube

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

type besideKratix struct {
	*platform
	kratix *standIn
}

func newBesideKratix(t testing.TB, options kratixlike.Options, flags ...string) *besideKratix {
	t.Helper()
	c := clusterOfKratix(t, flags...)
	c.kubectl("apply", "-k", filepath.Join(root, "deploy/secrets"))
	b := &besideKratix{platform: platformOn(t, c)}
	b.kratix = b.standIn(options)
	return b
}

func (b *besideKratix) scheduleOnly(args ...string) *process {
	b.t.Helper()
	return b.schedule(append([]string{"--schedule-only"}, args...)...)
}

func (p *platform) placementsOf(work string) []string {
	p.t.Helper()
	said := p.kubectl("get", "workplacements", "-A", "-o", "jsonpath={.items[*].metadata.name}", "-l", kratix.WorkLabel+"="+work)
	return slices.Sorted(slices.Values(strings.Fields(said)))
}

func (p *platform) waitUntilWritten(work string) {
	p.t.Helper()
	p.waitForCondition("work/"+work, "Ready", "True AllWorkplacementsScheduled")
	p.waitForCondition("work/"+work, "Scheduled", "True AllWorkplacementsScheduled")
	for _, placement := range p.placementsOf(work) {
		p.waitForCondition("workplacement/"+placement, "Ready", "True WorkloadsWrittenToTargetDestination")
	}
}

func (p *platform) committed(text string) time.Time {
	p.t.Helper()
	for line := range strings.Lines(gittest.Git(p.t, p.repository, "log", "--format=%ct %s", "main")) {
		at, subject, _ := strings.Cut(line, " ")
		if strings.Contains(subject, text) {
			seconds, err := strconv.ParseInt(at, 10, 64)
			must(p.t, err)
			return time.Unix(seconds, 0)
		}
	}
	p.t.Fatalf("no commit says %q", text)
	return time.Time{}
}

func TestKratixWritesWhatIsScheduledAndNoConflict(t *testing.T) {
	p := newBesideKratix(t, kratixlike.Options{})
	p.destination("worker-1", "default", "none", map[string]string{"environment": "dev"})
	p.scheduleOnly("--leader-elect")
	one := p.applyFile("work-example.yaml")
	p.waitUntilWritten(one)
	two := p.applyFile("work-second-request.yaml")
	p.waitForCondition("work/"+two, "ConflictFree", "False DuplicateResources")
	p.waitForCondition("work/"+two, "Scheduled", "False HeldBack")
	p.waitForCondition("work/"+two, "Ready", "False FailedToScheduleWorkloads")
	p.waitForCondition("destination/worker-1", "ConflictFree", "False DuplicateResources")
	if got := p.placementsOf(two); len(got) > 0 {
		t.Errorf("what is held back has WorkPlacements: %v", got)
	}
	said := p.kubectl("describe", "work/"+two)
	if !strings.Contains(said, "may not add resource with an already registered id") {
		t.Errorf("kubectl describe does not give Flux's words:\n%s", said)
	}

	p.kubectl("delete", "work/"+one, "--wait=false")
	p.waitUntilWritten(two)
	p.waitForCondition("work/"+two, "ConflictFree", "True NoConflict")
	gone := p.committed("Delete WorkPlacement default/" + one)
	placed, err := time.Parse(time.RFC3339, p.get("workplacement/"+p.placementsOf(two)[0], "{.metadata.creationTimestamp}"))
	must(t, err)
	if after := placed.Sub(gone); after < 0 || after > 2*time.Second {
		t.Errorf("the held request was placed %v after the other's files were gone, want within 2 s", after)
	}
	p.fluxNeverRefuses("worker-1")
}

// Kratix writes in any order. The first Work must be written before the second Work is scheduled.
func TestObjectChangesHandsOneCommitAfterTheOther(t *testing.T) {
	t.Parallel()
	p := newBesideKratix(t, kratixlike.Options{WriteDelay: 300 * time.Millisecond, Writers: 4})
	p.destination("worker-1", "default", "none", nil)
	p.scheduleOnly()
	p.object(work("a", nil, "shared", "a"))
	p.object(work("b", nil, "b"))
	p.waitUntilWritten("a")
	p.waitUntilWritten("b")
	p.object(work("b", nil, "b", "shared"))
	p.waitForCondition("work/b", "ConflictFree", "False DuplicateResources")
	p.waitForField("workplacement/b.worker-1-5058f", "{.spec.generation}", "1")
	p.object(work("a", nil, "a"))
	p.waitForCondition("work/b", "ConflictFree", "True NoConflict")
	p.waitForFiles("worker-1/resources/default/redis/a/instance/5058f/a.yaml",
		"worker-1/resources/default/redis/b/instance/5058f/b.yaml", "worker-1/resources/default/redis/b/instance/5058f/shared.yaml")

	p.object(work("b", nil, "b"))
	p.object(work("a", nil, "a", "shared"))
	p.waitForFiles("worker-1/resources/default/redis/a/instance/5058f/a.yaml", "worker-1/resources/default/redis/a/instance/5058f/shared.yaml",
		"worker-1/resources/default/redis/b/instance/5058f/b.yaml")
	p.waitUntilWritten("a")
	p.waitUntilWritten("b")
	p.fluxNeverRefuses("worker-1")
}

func TestScheduledPlacementsStayWhenLabelsChange(t *testing.T) {
	t.Parallel()
	p := newBesideKratix(t, kratixlike.Options{})
	dev := map[string]string{"environment": "dev"}
	p.destination("worker-1", "default", "none", dev)
	p.destination("worker-2", "default", "none", map[string]string{"environment": "other"})
	p.scheduleOnly()
	p.object(work("a", dev, "one"))
	p.waitUntilWritten("a")
	for range 3 {
		p.destination("worker-1", "default", "none", map[string]string{"environment": "other"})
		p.destination("worker-2", "default", "none", dev)
		p.waitForCondition("work/a", "Scheduled", "False DestinationSelectorMismatch")
		p.destination("worker-1", "default", "none", dev)
		p.destination("worker-2", "default", "none", map[string]string{"environment": "other"})
		p.waitForCondition("work/a", "Scheduled", "True AllWorkplacementsScheduled")
	}
	if got := p.placementsOf("a"); !slices.Equal(got, []string{"a.worker-1-5058f"}) {
		t.Errorf("WorkPlacements %v, want the first alone", got)
	}
	p.waitForFiles("worker-1/resources/default/redis/a/instance/5058f/one.yaml")
	p.fluxNeverRefuses("worker-1", "worker-2")
}

func TestDestinationOfKratixGoesWithItsFilesOrWithoutThem(t *testing.T) {
	t.Parallel()
	p := newBesideKratix(t, kratixlike.Options{})
	on := func(n string) map[string]string { return map[string]string{"on": n} }
	p.destination("worker-1", "default", "all", on("1"))
	p.destination("worker-2", "default", "none", on("2"))
	p.scheduleOnly()
	p.object(work("a", on("1"), "one"))
	p.object(work("b", on("2"), "two"))
	p.waitUntilWritten("a")
	p.waitUntilWritten("b")
	p.kubectl("delete", "destination/worker-1", "destination/worker-2", "--timeout=40s")
	p.waitForFiles("worker-2/resources/default/redis/b/instance/5058f/two.yaml")
	p.waitForCondition("work/a", "Scheduled", "False UnscheduledWorkloads")
	p.destination("worker-3", "default", "none", on("1"))
	p.waitUntilWritten("a")
	p.waitForFiles("worker-2/resources/default/redis/b/instance/5058f/two.yaml", "worker-3/resources/default/redis/a/instance/5058f/one.yaml")
	p.fluxNeverRefuses("worker-1", "worker-2", "worker-3")
}

func TestDependencyIsScheduledWhereNothingConflicts(t *testing.T) {
	t.Parallel()
	p := newBesideKratix(t, kratixlike.Options{})
	all := map[string]string{"all": "yes"}
	for _, name := range []string{"worker-1", "worker-2", "worker-3"} {
		p.destination(name, "default", "none", map[string]string{"all": "yes", "on": name})
	}
	p.scheduleOnly()
	owner, promise := work("owner", map[string]string{"on": "worker-2"}, "shared"), work("promise", all, "shared")
	owner.Spec.ResourceName, promise.Spec.ResourceName = "", ""
	owner.Spec.PromiseName = "other"
	p.object(owner)
	p.waitUntilWritten("owner")
	p.object(promise)
	p.waitForCondition("work/promise", "ConflictFree", "False DuplicateResources")
	p.eventually("the WorkPlacements", func() string {
		if got := p.placementsOf("promise"); !slices.Equal(got, []string{"promise.worker-1-5058f", "promise.worker-3-5058f"}) {
			return fmt.Sprint(got)
		}
		return ""
	})
	p.kubectl("delete", "work/owner", "--wait=false")
	p.waitUntilWritten("promise")
	if got := p.placementsOf("promise"); len(got) != 3 {
		t.Errorf("WorkPlacements %v, want all three", got)
	}
	p.fluxNeverRefuses("worker-1", "worker-2", "worker-3")
}

func TestGroupsAreAddedAndRemoved(t *testing.T) {
	t.Parallel()
	p := newBesideKratix(t, kratixlike.Options{})
	on := func(n string) map[string]string { return map[string]string{"on": n} }
	p.destination("worker-1", "default", "none", on("1"))
	p.destination("worker-2", "default", "none", on("2"))
	p.scheduleOnly()
	both := work("a", on("1"), "one")
	second := work("", on("2"), "two").Spec.WorkloadGroups[0]
	second.Directory, second.ID = "second", kratix.GroupID("second")
	both.Spec.WorkloadGroups = append(both.Spec.WorkloadGroups, second)
	p.object(both)
	p.waitUntilWritten("a")
	first := "worker-1/resources/default/redis/a/instance/5058f/one.yaml"
	p.waitForFiles(first, "worker-2/resources/default/redis/a/instance/"+kratix.ShortID(second.ID)+"/two.yaml")
	p.object(work("a", on("1"), "one"))
	p.waitForFiles(first)
	p.waitUntilWritten("a")
	p.fluxNeverRefuses("worker-1", "worker-2")
}

func TestKilledSchedulerPlacesEachWorkOnce(t *testing.T) {
	t.Parallel()
	p := newBesideKratix(t, kratixlike.Options{})
	for i := range 3 {
		p.destination(fmt.Sprint("worker-", i), "default", "none", nil)
	}
	first := p.scheduleOnly()
	for i := range 30 {
		p.object(work(fmt.Sprint("w", i), nil, fmt.Sprint("c", i)))
		if i == 15 {
			first.kill()
		}
	}
	p.scheduleOnly()
	for i := range 30 {
		name := fmt.Sprint("w", i)
		p.waitForCondition("work/"+name, "Scheduled", "True AllWorkplacementsScheduled")
		if got := p.placementsOf(name); len(got) != 1 {
			t.Errorf("%s has the WorkPlacements %v", name, got)
		}
	}
	p.eventually("the store", func() string {
		if got := len(p.files()); got != 30 {
			return fmt.Sprintf("%d files, want 30", got)
		}
		return ""
	})
	p.fluxNeverRefuses("worker-0", "worker-1", "worker-2")
}
