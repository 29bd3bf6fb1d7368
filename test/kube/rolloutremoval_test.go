package kube

import (
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

const (
	neverOpens  = `, windows: [{start: "0 0 30 2 *", duration: 1h}]` // February has no such day
	removalWave = `apiVersion: kratix-schedule.io/v1alpha1
kind: Rollout
metadata: {name: operators}
spec:
  waves:
  - {name: canary, destinations: {matchLabels: {wave: canary}}}
  - {name: second, destinations: {matchLabels: {wave: second}}WINDOWS}
  - {name: last}
`
)

func TestPromiseIsRemovedInReverseOrderOfWaves(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	p.destination("a", "default", "none", map[string]string{"wave": "canary"})
	p.destination("b", "default", "none", map[string]string{"wave": "second"})
	p.destination("c", "default", "none", nil)
	rollout := func(windows string) { p.apply(strings.Replace(removalWave, "WINDOWS", windows, 1)) }
	rollout("")
	daemon := p.schedule()
	operator := work("operator", nil, "operator")
	operator.Spec.ResourceName, operator.Finalizers = "", []string{kratix.WorkFinalizer} // as Kratix makes it
	p.object(operator)
	p.object(work("request", map[string]string{"wave": "canary"}, "request"))
	const file, request = "/dependencies/redis/instance/5058f/operator.yaml", "a/resources/default/redis/request/instance/5058f/request.yaml"
	p.waitForFiles("a"+file, request, "b"+file, "c"+file)

	for _, name := range []string{"operator", "request"} {
		p.waitForCondition("work/"+name, "Ready", "True AllWorkplacementsScheduled")
	}
	rollout(neverOpens)
	p.kubectl("delete", "work/operator", "--wait=false")
	works := func(want string) {
		t.Helper()
		if got := p.get("works", "{.items[*].metadata.name}"); got != want {
			t.Fatalf("the Works are %q, want %q", got, want)
		}
	}
	works("operator request")
	daemon.stop(t)
	daemon = p.schedule()
	p.waitForFiles("a"+file, request, "b"+file, "c"+file)
	works("operator request")

	p.kubectl("delete", "work/request", "--timeout=40s")
	p.waitForFiles("a"+file, "b"+file)
	daemon.stop(t)
	p.schedule()
	p.waitForFiles("a"+file, "b"+file)
	works("operator")
	rollout("")
	p.eventually("the Works", func() string { return p.get("works,workplacements", "{.items[*].metadata.name}") })
	p.waitForFiles()
}
