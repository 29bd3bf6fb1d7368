package kube

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

func (c *cluster) events() map[string]int {
	c.t.Helper()
	counted := map[string]int{}
	for line := range strings.Lines(c.kubectl("get", "events", "-A", "-o",
		`jsonpath={range .items[*]}{.involvedObject.kind}/{.involvedObject.name} {.type} {.reason}{"\n"}{end}`)) {
		counted[strings.TrimSpace(line)]++
	}
	return counted
}

func (c *cluster) waitForEvents(want ...string) {
	c.t.Helper()
	c.eventually("the events", func() string {
		got := c.events()
		if i := slices.IndexFunc(want, func(event string) bool { return got[event] == 0 }); i >= 0 {
			return fmt.Sprintf("%v, want %s", got, want[i])
		}
		return ""
	})
}

func TestManageSendsTheEventsOfKratixOncePerState(t *testing.T) {
	p := newPlatform(t, "base")
	dev := map[string]string{"environment": "dev"}
	p.destination("worker-1", "default", "none", map[string]string{"environment": "other"})
	p.schedule()
	p.object(work("a", dev, "one"))
	p.waitForEvents("Work/a Normal NoMatchingDestination")
	p.destination("worker-1", "default", "none", dev)
	p.waitForEvents("Work/a Normal AllWorkplacementsScheduled")

	dependency := work("dependency", dev, "two")
	dependency.Spec.ResourceName, dependency.Finalizers = "", []string{kratix.WorkFinalizer}
	p.object(dependency)
	p.waitForCondition("work/dependency", "Ready", "True AllWorkplacementsScheduled")
	p.destination("worker-2", "default", "none", dev)
	p.waitForEvents("Work/dependency Normal WorkplacementReconciled")

	p.destination("worker-1", "default", "none", map[string]string{"environment": "other"})
	p.waitForEvents("Work/a Warning DestinationSelectorMismatch", "WorkPlacement/a.worker-1-5058f Warning DestinationSelectorMismatch")
	p.destination("worker-1", "default", "none", dev)
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")

	p.secret("git", "outdated")
	p.waitForEvents("GitStateStore/default Warning NotReady", "Destination/worker-1 Warning DestinationNotReady")
	p.object(work("a", dev, "three"))
	p.waitForEvents("WorkPlacement/a.worker-1-5058f Warning FailedWriteToDestination", "Work/a Warning WorkplacementsFailing")
	p.object(work("b", dev, "four")) // the former version of b may already be placed
	p.waitForEvents("Work/b Normal WaitingDestination")
	p.kubectl("delete", "work/dependency", "--wait=false")
	p.waitForEvents("Work/dependency Warning FailedDelete")
	p.waitForCondition("work/dependency", "Ready", "False FailedDelete")

	p.secret("git", gittest.Password)
	p.waitForEvents("GitStateStore/default Normal Ready", "Destination/worker-1 Normal DestinationReady",
		"WorkPlacement/a.worker-1-5058f Normal WorkloadsWrittenToStateStore", "Work/b Normal AllWorkplacementsScheduled")
	p.kubectl("wait", "--for=delete", "--timeout=40s", "work/dependency")
	for event, count := range p.events() {
		if most := 3; count > most { // Work/a becomes ready three times
			t.Errorf("%s is told %d times, want at most %d", event, count, most)
		}
	}
}
