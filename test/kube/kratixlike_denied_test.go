package kube

import (
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

const placesNothing = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: kratix-places-nothing}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [platform.kratix.io], apiVersions: [v1alpha1], operations: [CREATE, UPDATE], resources: [workplacements]}
  matchConditions:
  - {name: kratix, expression: "request.userInfo.username == '` + kratixlike.User + `'"}
  validations:
  - {expression: "request.operation == 'UPDATE' && object.spec == oldObject.spec", message: "what is placed where is decided by kratix-schedule", reason: Forbidden}
`

const placesNothingBinding = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: kratix-places-nothing}
spec: {policyName: kratix-places-nothing, validationActions: [Deny]}
`

func (c *cluster) denyKratix() {
	c.t.Helper()
	c.apply(placesNothing)
	c.apply(placesNothingBinding)
	c.waitForKratixAccess(false)
}

func (c *cluster) allowKratix() {
	c.t.Helper()
	c.kubectl("delete", "validatingadmissionpolicybinding/kratix-places-nothing")
	c.waitForKratixAccess(true)
}

func (c *cluster) waitForKratixAccess(want bool) {
	c.t.Helper()
	probe := c.write("probe.yaml", "apiVersion: platform.kratix.io/v1alpha1\nkind: WorkPlacement\nmetadata: {name: probe, namespace: default}\nspec: {}\n")
	c.eventually("the policy", func() string {
		_, err := c.try("create", "--dry-run=server", "--as="+kratixlike.User, "-f", probe)
		if (err == nil) != want {
			return "a dry run: " + text(err)
		}
		return ""
	})
}

// watchTime is how long a test checks that a controller does not try again.
const watchTime = 4 * time.Second

func TestKratixlikeDoesNotRetryWhatIsDenied(t *testing.T) {
	ours, flags := newAudit(t)
	log := ours.of(kratixlike.User)
	p := newPlatform(t, "base", flags...)
	p.destination("worker-1", "default", "none", nil)
	p.standIn(kratixlike.Options{})
	p.waitForCondition("destination/worker-1", "Ready", "True TestDocumentsWritten")
	p.denyKratix()

	w := work("a", nil, "one")
	second := *w.Spec.WorkloadGroups[0].DeepCopy()
	second.ID, second.Directory = kratix.GroupID("second"), "second"
	w.Spec.WorkloadGroups = append(w.Spec.WorkloadGroups, second)
	p.object(w)
	const failed = "False FailedToScheduleWorkloads"
	p.waitForCondition("work/a", "Ready", failed)
	p.waitForCondition("work/a", "ScheduleSucceeded", failed)
	p.waitUntilSettled(log)
	const create = "create workplacements"
	watch := func(what string, want int) {
		t.Helper()
		time.Sleep(watchTime)
		if got := log.written()[create]; got != want {
			t.Errorf("%s: %d tries in %s, want %d", what, got, watchTime, want)
		}
	}
	watch("without an event", 0)
	p.kubectl("label", "work/a", "unrelated=1")
	watch("after an event of the Work, whose first group ends the second", 1)
	p.kubectl("label", "destination/worker-1", "unrelated=1")
	watch("after an event of a Destination", 1)
	if files := p.files(); len(files) > 0 {
		t.Errorf("files of a denied placement: %v", files)
	}

	// The stand-in writes a WorkPlacement that another user has created.
	first := &w.Spec.WorkloadGroups[0]
	w.Generation = 1
	p.object(kratix.NewWorkPlacement(w, first, "worker-1"))
	p.waitForCondition("workplacement/a.worker-1-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
	p.waitForField("workplacement/a.worker-1-5058f", "{.metadata.finalizers[0]}", kratix.PlacementFinalizer)
	p.waitForFiles("worker-1/resources/default/redis/a/instance/5058f/one.yaml")
	p.waitForField("work/a", "{.status.workPlacementsCreated}", "1")
	p.object(kratix.NewWorkPlacement(w, &w.Spec.WorkloadGroups[1], "worker-1"))
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")

	// A denied update does not change the placement.
	p.object(work("a", nil, "two"))
	p.waitForCondition("work/a", "Ready", failed)
	p.waitForField("workplacement/a.worker-1-5058f", "{.spec.generation} {.spec.workloads[*].filepath}", "1 one.yaml")
	p.allowKratix()
	log.written()
	time.Sleep(watchTime)
	if got := log.written()["patch workplacements"]; got > 0 {
		t.Errorf("%d tries once it is allowed, without an event", got)
	}
	p.kubectl("label", "destination/worker-1", "unrelated=2", "--overwrite")
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")
	p.waitForFiles("worker-1/resources/default/redis/a/instance/5058f/two.yaml")
}

func (p *platform) waitUntilSettled(log *audit) {
	p.t.Helper()
	log.written()
	p.eventually("the writes", func() string {
		time.Sleep(time.Second)
		if got := log.written(); len(got) > 0 {
			return "not settled"
		}
		return ""
	})
}
