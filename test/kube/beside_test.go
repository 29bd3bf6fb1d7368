package kube

import (
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/admission"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

func TestPolicyThatIsRemovedIsNoticed(t *testing.T) {
	t.Parallel()
	p := newBesideKratix(t, kratixlike.Options{})
	p.destination("worker-1", "default", "none", nil)
	at := address(t)
	daemon := p.scheduleOnly("--listen", at)
	required := p.schedule("--schedule-only", "--require-policy", "--listen", "")
	p.object(work("a", nil, "one"))
	p.waitUntilWritten("a")
	isReady := func(want bool) func() string {
		return func() string {
			if said, err := page(at, "/readyz"); (err == nil) != want {
				return said + text(err)
			}
			return ""
		}
	}
	p.eventually("/readyz", isReady(true))
	p.kubectl("delete", "validatingadmissionpolicybinding", "kratix-schedule-places")
	p.eventually("/readyz", isReady(false))
	p.waitForCondition("destination/worker-1", "SoleScheduler", "False PolicyNotInForce")
	if said, err := page(at, "/metrics"); err != nil || !strings.Contains(said, `kratix_schedule_findings{name="PolicyNotInForce",rule="KS071",severity="error"} 1`) {
		t.Errorf("the metrics do not have it: %v", err)
	}
	if said := daemon.String(); !strings.Contains(said, `"rule":"KS071"`) || !strings.Contains(said, "kubectl apply -k deploy/schedule") {
		t.Error("the log does not say it, or not what to do")
	}
	p.eventually("--require-policy", func() string {
		select {
		case <-required.Done():
			return ""
		default:
			return "the process goes on"
		}
	})
	if code := required.Cmd.ProcessState.ExitCode(); code == 0 || !strings.Contains(required.String(), "--require-policy: ") {
		t.Errorf("it ends with %d and says %s", code, required.String())
	}
	p.kubectl("apply", "-k", root+"/deploy/schedule")
	p.eventually("/readyz", isReady(true))
	p.waitForCondition("destination/worker-1", "SoleScheduler", "True NoOtherScheduler")
}

func TestPolicyThatDeniesThisProgramIsNoticed(t *testing.T) {
	t.Parallel()
	p := newBesideKratix(t, kratixlike.Options{})
	p.kubectl("patch", "validatingadmissionpolicy", "kratix-schedule-places", "--type=json", "-p", `[{"op":"remove","path":"/spec/matchConditions"}]`)
	probe := checkAs(t, p.shipped(), admission.Kratix())
	p.waitForVerdict(probe, "DeniesSelf DeniesSelf") // waits until the API server uses the changed policy
	p.destination("worker-1", "default", "none", nil)
	p.object(work("a", nil, "one"))
	at := address(t)
	daemon := p.scheduleOnly("--listen", at)
	p.eventually("/readyz", func() string {
		if said, err := page(at, "/readyz"); err == nil || !strings.Contains(err.Error(), "this process may not create WorkPlacements: ") {
			return said + text(err)
		}
		return ""
	})
	said, err := page(at, "/metrics")
	must(t, err)
	for _, want := range []string{`kratix_schedule_findings{name="PolicyDeniesSelf",rule="KS077",severity="error"} 1`, `kratix_schedule_findings{name="PolicyNotInForce",rule="KS071",severity="error"} 0`} {
		if !strings.Contains(said, want) {
			t.Errorf("the metrics do not have %s", want)
		}
	}
	if said := daemon.String(); !strings.Contains(said, `"rule":"KS077"`) || !strings.Contains(said, "except its ServiceAccount from that policy") {
		t.Error("the log does not say it, or not what to do")
	}
	if got := p.condition("destination/worker-1", "SoleScheduler"); strings.TrimSpace(got) != "" {
		t.Errorf("SoleScheduler is %s, though nobody knows", got)
	}
	p.kubectl("apply", "-k", root+"/deploy/schedule", "--server-side", "--force-conflicts")
	p.waitUntilWritten("a")
}

func TestManageStopsWhereKratixPlaces(t *testing.T) {
	t.Parallel()
	for _, with := range []string{"stop", "ignore"} {
		t.Run(with, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, "base")
			p.destination("worker-1", "default", "none", nil)
			kratix := p.standIn(kratixlike.Options{})
			manager := p.schedule("--with-kratix", with)
			p.eventually("the process", func() string {
				if !strings.Contains(manager.String(), `"msg":"started"`) {
					return "it has not started"
				}
				return ""
			})
			// Creation times are whole seconds. A WorkPlacement from the second in which the
			// process starts does not count as new.
			time.Sleep(1100 * time.Millisecond)
			p.object(work("a", nil, "one"))
			p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")
			p.waitForFiles("worker-1/resources/default/redis/a/instance/5058f/one.yaml")
			if with == "stop" {
				p.waitForCondition("destination/worker-1", "SoleScheduler", "False OtherScheduler")
			}
			kratix.stop()
			before := gittest.Git(t, p.repository, "rev-parse", "main")
			p.object(work("b", nil, "two"))
			if with == "ignore" {
				p.waitForFiles("worker-1/resources/default/redis/a/instance/5058f/one.yaml", "worker-1/resources/default/redis/b/instance/5058f/two.yaml")
				return
			}
			p.object(work("c", nil, "three"))
			p.kubectl("wait", "--for=condition=SoleScheduler=false", "--timeout=5s", "destination/worker-1")
			if after := gittest.Git(t, p.repository, "rev-parse", "main"); after != before {
				t.Errorf("something is written: %s", gittest.Git(t, p.repository, "log", "--format=%s", before+".."+after))
			}
		})
	}
}
