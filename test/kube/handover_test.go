package kube

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

func (p *platform) handover(args ...string) (said string, status int) {
	p.t.Helper()
	text, err := exec.Command(program, append([]string{"handover", "--kubeconfig", p.shipped()}, args...)...).CombinedOutput()
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		return string(text), ended.ExitCode()
	}
	must(p.t, err)
	return string(text), 0
}

func (p *platform) expectHandover(status int, args []string, words ...string) {
	p.t.Helper()
	said, got := p.handover(args...)
	if got != status {
		p.t.Fatalf("handover %v ends with %d, want %d: %s", args, got, status, said)
	}
	for _, word := range words {
		if !strings.Contains(said, word) {
			p.t.Errorf("handover %v does not say %q: %s", args, word, said)
		}
	}
}

func TestKratixTakesOverFromManageWithoutAnOutage(t *testing.T) {
	c := start(t, "base")
	p := platformOn(t, c)
	dev := map[string]string{"environment": "dev"}
	manager := p.schedule("--leader-elect")
	for _, n := range []string{"1", "2"} {
		p.destination("worker-"+n, "default", "none", map[string]string{"environment": "dev", "on": n})
		p.object(work("owner-"+n, map[string]string{"on": n}, "x", "y"))
		p.waitForCondition("work/owner-"+n, "Ready", "True AllWorkplacementsScheduled")
	}
	p.object(work("update", dev, "mine"))
	p.waitForCondition("work/update", "Ready", "True AllWorkplacementsScheduled")
	p.expectHandover(0, nil, "safe: Kratix may be started", "warning: ", "Lease kratix-schedule/kratix-schedule")

	p.object(work("new", dev, "x")) // the Work fits both Destinations
	p.object(work("update", dev, "mine", "y"))
	p.waitForCondition("work/new", "ConflictFree", "False DuplicateResources")
	p.waitForCondition("work/update", "ConflictFree", "False DuplicateResources")
	manager.stop(t)
	updated := p.placementsOf("update")[0]
	p.expectHandover(1, nil, "would break  default/new  on worker-1: Kratix would place it there, or on another that fits (1 would break as well)",
		"would break  default/update  on ", "Kratix would write WorkPlacement "+updated,
		"KS001", "ConfigMap", "request default/owner-1 of Promise redis", "not safe: 2 placements would break a Destination")

	// An earlier version of this program created WorkPlacements for placements that were held back.
	held := work("new", dev, "x")
	held.Generation = 1
	left := testkit.Placement(held, "worker-2")
	left.Finalizers = []string{kratix.PlacementFinalizer}
	p.object(left)
	p.expectHandover(1, nil, "Kratix would write WorkPlacement new.worker-2-5058f")
	p.expectHandover(1, []string{"--remove-placements"}, "removed  WorkPlacement default/new.worker-2-5058f", "Kratix would place it there")
	if got := p.kubectl("get", "workplacements", "-o", "name"); strings.Contains(got, "new.worker-2") || !strings.Contains(got, updated) {
		t.Errorf("WorkPlacements %s", got)
	}

	p.kubectl("delete", "work/new")
	p.expectHandover(1, nil, "not safe: 1 placement would break a Destination")
	p.object(work("update", dev, "mine", "z"))
	p.expectHandover(0, nil, "safe: Kratix may be started; it would break nothing with 3 Works and 3 WorkPlacements")
	p.standIn(kratixlike.Options{})
	p.object(work("later", dev, "later"))
	p.waitForCondition("work/later", "Ready", "True AllWorkplacementsScheduled")
	p.waitForCondition("work/update", "Ready", "True AllWorkplacementsScheduled")
	p.eventually("the update", func() string {
		if !strings.Contains(strings.Join(p.files(), " "), "/update/instance/5058f/z.yaml") {
			return "it is not written"
		}
		return ""
	})
	p.fluxNeverRefuses("worker-1", "worker-2")
}

func TestKratixPlacesAgainAfterScheduleWithoutAnOutage(t *testing.T) {
	p := newBesideKratix(t, kratixlike.Options{})
	p.destination("worker-1", "default", "none", nil)
	scheduler := p.scheduleOnly()
	p.object(work("one", nil, "shared"))
	p.waitUntilWritten("one")
	p.object(work("two", nil, "shared"))
	p.waitForCondition("work/two", "Scheduled", "False HeldBack")
	p.object(work("three", nil, "three"))
	p.waitUntilWritten("three")
	p.object(work("three", nil, "three", "shared"))
	p.waitForCondition("work/three", "Scheduled", "False HeldBack")
	p.expectHandover(1, nil, "would break  default/two  on worker-1: Kratix would place it there", "would break  default/three  on worker-1: Kratix would write WorkPlacement three.worker-1-5058f",
		"request default/one of Promise redis")
	p.expectHandover(1, []string{"--remove-placements"}, "not safe: 2 placements would break a Destination")
	p.expectHandover(1, []string{"--without-stores"}, "not safe: 2 placements would break a Destination")
	if got := p.kubectl("get", "workplacements", "-o", "name"); strings.Count(got, "\n") != 1 {
		t.Errorf("WorkPlacements %s, want those of one and three", got)
	}
	p.secret("git", "outdated")
	p.expectHandover(3, nil, "KS060", "not known: a state store cannot be read")
	p.secret("git", gittest.Password)

	p.kubectl("delete", "work/two", "--timeout=40s")
	p.object(work("three", nil, "three", "four"))
	p.waitUntilWritten("three")
	scheduler.stop(t)
	p.expectHandover(0, nil, "safe: Kratix may be started; it would break nothing with 2 Works and 2 WorkPlacements")
	p.kubectl("delete", "validatingadmissionpolicybinding", "kratix-schedule-places")
	p.object(work("later", nil, "later"))
	p.eventually("a Work that Kratix places", func() string {
		// The removal of a policy has an effect only after a while, and Kratix tries again only at
		// the next event.
		p.kubectl("label", "destination/worker-1", "--overwrite", fmt.Sprint("at=", time.Now().UnixNano()))
		if len(p.placementsOf("later")) == 0 {
			return "it is not placed"
		}
		return ""
	})
	p.waitForCondition("work/later", "Ready", "True AllWorkplacementsScheduled")
	p.fluxNeverRefuses("worker-1")
}
