package kube

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

const denial = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: denied}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [platform.kratix.io], apiVersions: [v1alpha1], operations: [CREATE], resources: [workplacements]}
  validations:
  - expression: object.metadata.labels['kratix.io/work'] != 'denied'
    message: this Work may have no WorkPlacement
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: denied}
spec: {policyName: denied, validationActions: [Deny]}
`

func TestDeniedWriteBacksOff(t *testing.T) {
	log, flags := newAudit(t)
	p := newPlatform(t, "base", flags...)
	p.apply(denial)
	p.destination("worker-1", "default", "none", nil)
	at := address(t)
	p.schedule("--listen", at)
	p.object(work("allowed", nil, "one"))
	p.waitForCondition("work/allowed", "Ready", "True AllWorkplacementsScheduled")
	p.writesUntilSettled(at, log)

	denied := work("denied", nil, "two")
	p.object(denied)
	p.waitForFiles("worker-1/resources/default/redis/allowed/instance/5058f/one.yaml", "worker-1/resources/default/redis/denied/instance/5058f/two.yaml")
	p.eventually("the report", func() string {
		said, err := page(at, "/api/v1/report")
		if err == nil && (!strings.Contains(said, "KS070") || !strings.Contains(said, "this Work may have no WorkPlacement")) {
			return said
		}
		return text(err)
	})
	log.written()
	rounds := p.counted(at, "kratix_schedule_rounds_total")
	const watched, most = 20 * time.Second, 5
	time.Sleep(watched)
	if tries := log.written()["create workplacements"]; tries == 0 || tries > most {
		t.Errorf("%d tries of the denied write in %s, want one at least and %d at most", tries, watched, most)
	}
	if more := p.counted(at, "kratix_schedule_rounds_total") - rounds; more > 1 {
		t.Errorf("%v rounds in %s in which nothing has changed", more, watched)
	}
	p.object(work("later", nil, "three"))
	p.waitForCondition("work/later", "Ready", "True AllWorkplacementsScheduled")

	p.kubectl("delete", "validatingadmissionpolicybinding/denied")
	denied.Spec.WorkloadGroups[0].Workloads[0].Content = kratix.Encode([]byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n"))
	p.object(denied)
	p.waitForCondition("workplacement/denied.worker-1-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
	p.eventually("the report", func() string {
		said, err := page(at, "/api/v1/report")
		if err == nil && strings.Contains(said, "KS070") {
			return fmt.Sprint("it still says that a write is refused: ", said)
		}
		return text(err)
	})
}
