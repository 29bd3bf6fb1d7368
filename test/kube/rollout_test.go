package kube

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

// fleet is a loop with two more Destinations, which have no agent.
type fleet struct{ *loop }

const operatorsRollout = `apiVersion: kratix-schedule.io/v1alpha1
kind: Rollout
metadata: {name: operators}
spec:
  works: {promiseName: redis}
  waves:
  - {name: canary, destinations: {matchLabels: {wave: canary}}, gate: healthy, deadline: 10m}
  - {name: second, destinations: {matchLabels: {wave: second}}}
  - {name: third, maxConcurrent: 50%}
`

func newFleet(t *testing.T) *fleet {
	f := &fleet{newLoop(t)}
	f.destination("worker-1", "default", "none", map[string]string{"wave": "canary"})
	f.destination("worker-2", "default", "none", map[string]string{"wave": "second"})
	f.destination("worker-3", "default", "none", nil)
	f.apply(operatorsRollout)
	return f
}

// wants sets the dependencies of the Promise to a ConfigMap with one entry.
func (f *fleet) wants(key, value string) {
	work := workWith("operator", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: operator, namespace: default}\ndata: {"+key+": "+value+"}\n")
	work.Spec.ResourceName = ""
	f.object(work)
}

// contents returns the entry of each Destination in the repository.
func (f *fleet) contents() string {
	var all []string
	for _, name := range []string{"worker-1", "worker-2", "worker-3"} {
		text, err := exec.Command("git", "-C", f.repository, "grep", "-h", "^data:", "main", "--", name+"/dependencies/redis").Output()
		if err != nil {
			all = append(all, "nothing")
			continue
		}
		all = append(all, strings.TrimSpace(strings.TrimPrefix(string(text), "data:")))
	}
	return strings.Join(all, " ")
}

func (f *fleet) waitForContents(want string) {
	f.t.Helper()
	f.eventually("the Destinations", func() string {
		if got := f.contents(); got != want {
			return got + ", want " + want
		}
		return ""
	})
}

func (f *fleet) command(args ...string) string {
	f.t.Helper()
	said, err := output(exec.Command(program, append(append([]string{"rollout"}, args...), "--kubeconfig", f.admin)...))
	must(f.t, err)
	return said
}

func TestBadOperatorReachesOnlyTheFirstWave(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.wants("version", "v1")
	f.waitForContents("{version: v1} {version: v1} {version: v1}")
	f.waitForCondition("rollout/operators", "Ready", "True Complete")
	f.waitForCondition("work/operator", "RolledOut", "True Complete")
	f.waitUntilApplied("operator")

	f.deniesPasswords()
	f.wants("password", "v2")
	const words = "a password belongs into a Secret"
	f.waitForReport("rollout/operators", "Ready", "False Failed", "in wave canary 1 of 1 Destinations have failed, and 0 may: worker-1: ", words)
	f.waitForReport("work/operator", "RolledOut", "False Failed", "Rollout operators: revision ", words)
	f.waitForEvents("Rollout/operators Warning Failed", "Work/operator Warning Failed")
	const kept = "{password: v2} {version: v1} {version: v1}"
	if got := f.contents(); got != kept {
		t.Errorf("the Destinations have %s, want %s", got, kept)
	}
	if got := f.command("status", "operators", "--kube"); !strings.Contains(got, "  canary  1 of 1 updated, 0 in flight, 1 failed: ") {
		t.Errorf("rollout status prints\n%s", got)
	}
	f.restart()
	f.waitForReport("rollout/operators", "Ready", "False Failed", words)
	if got := f.contents(); got != kept {
		t.Errorf("after a restart, the Destinations have %s, want %s", got, kept)
	}

	f.kubectl("patch", "rollout/operators", "--type=merge", "--patch", `{"spec": {"onFailure": "rollback"}}`)
	f.waitForCondition("rollout/operators", "Ready", "False RolledBack")
	f.waitForContents("{version: v1} {version: v1} {version: v1}")
	f.waitUntilApplied("operator")
	undone := f.commit()
	f.restart()
	f.waitUntilApplied("operator")
	f.waitForCondition("rollout/operators", "Ready", "False RolledBack")
	if now := f.commit(); now != undone {
		t.Errorf("after a restart, %s was written", now)
	}
	if message := gittest.Git(t, f.repository, "log", "--format=%B", "main"); !strings.Contains(message, words) {
		t.Errorf("no commit has the words of Flux:\n%s", message)
	}

	if got := f.command("history", "operators", "--kube"); !strings.HasPrefix(got, "Work default/operator:\n") || !strings.Contains(got, undone[:7]) {
		t.Errorf("rollout history prints\n%s", got)
	}

	f.command("pause", "operators")
	f.wants("version", "v3")
	f.waitForCondition("rollout/operators", "Ready", "False Paused")
	f.command("resume", "operators")
	f.waitForContents("{version: v3} {version: v3} {version: v3}")
	f.waitForCondition("rollout/operators", "Ready", "True Complete")
	f.waitForField("configmap/operator", "{.data.version}", "v3")

	f.kubectl("patch", "rollout/operators", "--type=merge", "--patch",
		`{"spec": {"waves": [{"name": "canary", "destinations": {"matchLabels": {"wave": "canary"}}}, {"name": "all", "approval": true}]}}`)
	f.wants("version", "v4")
	f.waitForContents("{version: v4} {version: v3} {version: v3}")
	f.waitForCondition("rollout/operators", "Ready", "False Waiting")
	f.eventually("the approval", func() string { // the status may be one round behind
		said, err := output(exec.Command(program, "rollout", "approve", "operators", "--kubeconfig", f.admin))
		if err != nil {
			return said + err.Error()
		}
		return ""
	})
	f.waitForContents("{version: v4} {version: v4} {version: v4}")
	f.fluxNeverRefuses("worker-1", "worker-2", "worker-3")
}

func TestInvalidRolloutIsRefused(t *testing.T) {
	t.Parallel()
	c := withDefinitions(t)
	for spec, want := range map[string]string{
		"{}":                                       "spec.waves: Required value",
		"{waves: []}":                              "spec.waves: Invalid value",
		"{waves: [{}]}":                            "spec.waves[0].name: Required value",
		`{waves: [{name: "a/b"}]}`:                 "spec.waves[0].name: Invalid value",
		"{waves: [{name: a, gate: ready}]}":        `supported values: "written", "applied", "healthy"`,
		"{waves: [{name: a, maxFailures: -1}]}":    "spec.waves[0].maxFailures: Invalid value",
		"{waves: [{name: a, windows: [{}]}]}":      "start: Required value",
		"{waves: [{name: a}], onFailure: retry}":   `supported values: "stop", "rollback"`,
		"{waves: [{name: a}], works: {type: all}}": `supported values: "dependencies", "requests"`,
	} {
		file := c.write("rollout.yaml", "apiVersion: kratix-schedule.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec: "+spec+"\n")
		if said, err := c.try("apply", "-f", file); !strings.Contains(said+text(err), want) {
			t.Errorf("%s: %s %v", spec, said, err)
		}
	}
	for _, number := range []string{"2", "25%"} {
		file := c.write("rollout.yaml", "apiVersion: kratix-schedule.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec: {waves: [{name: a, maxConcurrent: "+number+"}]}\n")
		c.kubectl("apply", "-f", file)
	}
}
