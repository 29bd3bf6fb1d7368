package kube

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

const noPasswords = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-passwords}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}
  validations:
  - expression: "!has(object.data) || !('password' in object.data)"
    message: a password belongs into a Secret
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-passwords}
spec: {policyName: no-passwords, validationActions: [Deny]}
`

type loop struct {
	*platform
	*flux
	at     string
	flags  []string
	daemon *process
}

func newLoop(t *testing.T, flags ...string) *loop {
	t.Helper()
	const token = "the secret of a test"
	l := &loop{platform: newPlatform(t, "base"), at: address(t)}
	l.destination("worker-1", "default", "none", nil)
	l.flags = append([]string{"--listen", l.at, "--events-secret-file", l.write("token", token), "--check-apply", "quarantine"}, flags...)
	l.restart()
	printed, err := output(exec.Command(program, "agent", "flux", "worker-1", "--kube", "--kubeconfig", l.admin, "--events-url", "http://"+l.at, "--timeout", "30s"))
	must(t, err)
	l.flux = l.startFlux(printed+"\n", token)
	configMap, _ := profileOf(t, l.admin, "--configmap")
	l.apply(configMap)
	return l
}

func (l *loop) restart() {
	l.t.Helper()
	if l.daemon != nil {
		l.daemon.stop(l.t)
	}
	l.daemon = l.schedule(l.flags...)
}

func (l *loop) commit() string {
	l.t.Helper()
	return gittest.Git(l.t, l.repository, "rev-parse", "main")
}

func (l *loop) waitForReport(object, kind, want string, texts ...string) {
	l.t.Helper()
	l.waitForCondition(object, kind, want)
	l.eventually(object+" "+kind, func() string {
		message := l.get(object, fmt.Sprintf(`{.status.conditions[?(@.type==%q)].message}`, kind))
		for _, text := range texts {
			if !strings.Contains(message, text) {
				return fmt.Sprintf("its message is %q, want %q in it", message, text)
			}
		}
		return ""
	})
}

func (l *loop) waitUntilApplied(works ...string) {
	l.t.Helper()
	for _, kind := range []string{"Applied", "Healthy"} {
		for _, work := range works {
			l.waitForReport(placementOf(work), kind, "True "+kind)
			l.waitForReport("work/"+work, kind, "True "+kind)
		}
		l.waitForReport("destination/worker-1", kind, "True "+kind)
	}
}

func (l *loop) conditions() string {
	l.t.Helper()
	return l.kubectl("get", "works,workplacements,destinations", "-A", "-o",
		`jsonpath={range .items[*]}{.kind}/{.metadata.name}{range .status.conditions[*]}{"\n  "}{.type} {.status} {.reason} {.lastTransitionTime} {.message}{end}{"\n"}{end}`)
}

func (l *loop) keepsConditionsInRestart() {
	l.t.Helper()
	before := l.conditions()
	l.restart()
	l.eventually("a round", func() string {
		metrics, err := page(l.at, "/metrics")
		if err != nil {
			return err.Error()
		}
		if !strings.Contains(metrics, "\nkratix_schedule_rounds_total") || l.counted(l.at, "kratix_schedule_rounds_total") == 0 {
			return "none was done"
		}
		return ""
	})
	const settled = 4 * time.Second
	for late := time.Now().Add(settled); time.Now().Before(late); time.Sleep(settled / 8) {
		if diff := cmp.Diff(strings.Split(before, "\n"), strings.Split(l.conditions(), "\n")); diff != "" {
			l.t.Fatalf("a restart changes conditions: %s", diff)
		}
	}
}

func placementOf(work string) string { return "workplacement/" + work + ".worker-1-5058f" }

func workWith(name, object string) *kratix.Work {
	return testkit.Request(name, testkit.WithPipeline("instance"), testkit.WithFile("object.yaml", object))
}

func (l *loop) deniesPasswords() {
	l.t.Helper()
	l.apply(noPasswords)
	l.eventually("the policy", func() string {
		if _, err := l.try("create", "configmap", "probe", "--from-literal=password=x", "--dry-run=server"); err == nil {
			return "it does not hold"
		}
		return ""
	})
}

func TestRequestLearnsWhetherFluxHasAppliedIt(t *testing.T) {
	t.Parallel()
	l := newLoop(t)
	l.object(work("a", nil, "one"))
	l.object(work("b", nil, "two"))
	l.waitUntilApplied("a", "b")
	l.waitForReport(placementOf("b"), "Applied", "True Applied", l.commit())
	l.waitForReport(placementOf("b"), "Healthy", "True Healthy", l.commit())
	l.waitForReport("work/b", "Applied", "True Applied", "worker-1: applied in revision "+l.commit())
	l.waitForReport("destination/worker-1", "Healthy", "True Healthy", "resources: healthy in revision "+l.commit())

	l.deniesPasswords()
	bad := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad, namespace: default}\n"
	l.object(workWith("bad", bad+"data: {password: x}\n"))
	const words = "a password belongs into a Secret"
	l.waitForCondition(placementOf("bad"), "Applied", "False ApplyFailed")
	refused := l.commit()
	for _, object := range []string{placementOf("bad"), "work/bad", "destination/worker-1"} {
		l.waitForReport(object, "Applied", "False ApplyFailed", words, refused)
	}
	l.object(work("c", nil, "three"))
	l.waitForCondition(placementOf("c"), "Applied", "Unknown Blocked")
	refused = l.commit()
	for _, object := range []string{placementOf("c"), "work/c"} {
		l.waitForReport(object, "Applied", "Unknown Blocked", "blocked by Work default/bad", words, refused)
	}
	for _, object := range []string{placementOf("bad"), "work/bad", "destination/worker-1"} {
		l.waitForReport(object, "Applied", "False ApplyFailed", words, refused)
	}
	for _, object := range []string{placementOf("a"), placementOf("b"), "work/a", "work/b"} {
		l.waitForReport(object, "Applied", "True Applied")
		l.waitForReport(object, "Healthy", "True Healthy")
	}

	if rejected := l.counted(l.at, "kratix_schedule_agent_events_rejected_total"); rejected > 0 {
		t.Errorf("%v events are rejected", rejected)
	}
	l.keepsConditionsInRestart()

	l.object(workWith("bad", bad+"data: {user: x}\n"))
	l.waitUntilApplied("a", "b", "bad", "c")
	if got := l.get("configmap/bad", "{.data.user}"); got != "x" {
		t.Errorf("the ConfigMap in the cluster has the user %q", got)
	}

	l.kubectl("delete", "work/b", "--timeout=40s")
	l.waitForField("configmap/two", "{.metadata.name}", "")
	l.waitUntilApplied("a", "bad", "c")
}

func TestBadChangeIsRolledBack(t *testing.T) {
	t.Parallel()
	l := newLoop(t, "--on-apply-failure", "rollback")
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: theirs, namespace: default}\n"
	l.object(work("a", nil, "one"))
	l.object(workWith("b", object+"data: {user: x}\n"))
	l.waitUntilApplied("a", "b")

	l.deniesPasswords()
	l.object(workWith("b", object+"data: {password: x}\n"))
	l.object(workWith("new", strings.ReplaceAll(object, "theirs", "other")+"data: {password: x}\n"))
	l.object(work("c", nil, "three"))
	const words = "a password belongs into a Secret"
	for _, of := range []string{placementOf("b"), "work/b", "work/new"} { // Flux names one object after the other
		l.waitForReport(of, "ConflictFree", "False RolledBack", "it was rolled back, because revision ", words)
	}
	l.waitForField(placementOf("new"), "{.metadata.name}", "")
	l.waitUntilApplied("a", "b", "c") // with the previous files of b
	l.waitForField("configmap/three", "{.metadata.name}", "three")
	if got := l.get("configmap/theirs", "{.data}"); got != `{"user":"x"}` {
		t.Errorf("the ConfigMap in the cluster has %s", got)
	}
	l.waitForField("configmap/other", "{.metadata.name}", "")
	message := gittest.Git(t, l.repository, "log", "--format=%B", "main")
	if !strings.Contains(message, words) {
		t.Errorf("no commit has the words of Flux:\n%s", message)
	}

	rolledBack := l.commit()
	l.restart()
	l.waitUntilApplied("a", "b", "c")
	if now := l.commit(); now != rolledBack {
		t.Errorf("after a restart, %s was written", now)
	}
	l.object(workWith("b", object+"data: {user: y}\n"))
	l.kubectl("delete", "work/new", "--timeout=40s")
	l.waitForField("configmap/theirs", "{.data.user}", "y")
	l.waitUntilApplied("a", "b", "c")
	for _, of := range []string{placementOf("b"), "work/b"} {
		l.waitForCondition(of, "ConflictFree", "True NoConflict")
	}
}

// deployment is an object that becomes ready when the test writes its status.
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example.com/web:1}]}
`

func TestRequestLearnsWhetherItIsHealthy(t *testing.T) {
	t.Parallel()
	l := newLoop(t)
	l.object(work("a", nil, "one"))
	l.waitUntilApplied("a")
	l.object(workWith("web", deployment))
	l.waitForCondition(placementOf("web"), "Applied", "True Applied")
	// Flux waits at least 30 seconds, even if the timeout of the Kustomization is shorter.
	l.kubectl("wait", "--for=condition=Healthy=False", "--timeout=120s", "--request-timeout=120s", placementOf("web"))
	unhealthy := l.commit()
	for _, object := range []string{placementOf("web"), "work/web", "destination/worker-1"} {
		l.waitForReport(object, "Healthy", "False HealthFailed", "Deployment/default/web status: 'InProgress'", unhealthy)
		l.waitForReport(object, "Applied", "True Applied")
	}
	for _, object := range []string{placementOf("a"), "work/a"} {
		l.waitForReport(object, "Healthy", "True Healthy")
		l.waitForReport(object, "Applied", "True Applied")
	}
	l.keepsConditionsInRestart()

	l.kubectl("patch", "deployment/web", "--subresource=status", "--type=merge", "--patch",
		`{"status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
			"conditions": [{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
				{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}}`)
	l.reconcile("worker-1-resources")
	l.waitUntilApplied("a", "web")
}
