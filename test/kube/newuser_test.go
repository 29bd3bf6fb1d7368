package kube

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

// The cluster cannot run Pods, so the test starts a process with the arguments in the Deployment.
func TestScheduleFromHelmInstallToTheFirstConflictPrevented(t *testing.T) {
	c := emptyCluster(t)
	c.apply(kratixRole)
	c.kubectl("apply", "-k", root+"/deploy/crds") // a cluster with Kratix has Kratix's own definitions
	c.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	p := platformOn(t, c)
	p.destination("worker-1", "default", "none", map[string]string{"environment": "dev"})
	p.standIn(kratixlike.Options{})

	said, err := c.helm("upgrade", "--install", "kratix-schedule", chart, "--namespace", namespace, "--create-namespace",
		"--set", "mode=schedule", "--set", "secrets.namespaces={default}")
	must(t, err)
	if !strings.Contains(said, "places Works; Kratix writes them") || strings.Contains(said, "It may read no Secret yet") {
		t.Errorf("it says\n%s", said)
	}
	var args []string
	must(t, json.Unmarshal([]byte(c.get("-n "+namespace+" deployment/kratix-schedule", "{.spec.template.spec.containers[0].args}")), &args))
	at := address(t)
	for i := range args {
		args[i] = strings.Replace(args[i], "--listen=:8080", "--listen="+at, 1)
		args[i] = strings.Replace(args[i], "--listen-page=127.0.0.1:8081", "--listen-page=127.0.0.1:0", 1)
	}
	run(t, program, append(args, "--kubeconfig", p.shipped(), "--lease-namespace", namespace, "--profile-namespace", namespace)...)
	p.eventually("the rollout", func() string {
		said, err := page(at, "/readyz")
		if err != nil {
			return said + err.Error()
		}
		return ""
	})
	one := p.applyFile("work-example.yaml")
	p.waitUntilWritten(one)
	two := p.applyFile("work-second-request.yaml")
	p.waitForCondition("work/"+two, "ConflictFree", "False DuplicateResources")
	p.waitForCondition("work/"+two, "Ready", "False FailedToScheduleWorkloads")
	for _, want := range []string{"request default/example of Promise elastic-cloud", "see the condition ConflictFree of the Work", "8 of its objects are in worker-1/resources already"} {
		if said := p.kubectl("describe", "work", two); !strings.Contains(said, want) {
			t.Errorf("kubectl describe does not say %q:\n%s", want, said)
		}
	}
	p.expectHandover(1, nil, "would break  default/"+two+"  on worker-1: Kratix would place it there", "warning: ")
	p.kubectl("delete", "work", one)
	p.waitUntilWritten(two)
	p.fluxNeverRefuses("worker-1")
}
