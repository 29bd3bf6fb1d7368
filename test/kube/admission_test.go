package kube

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/kratix-schedule/kratix-schedule/internal/admission"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func checkAs(t testing.TB, kubeconfig string, account admission.ServiceAccount) *admission.Check {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	must(t, err)
	check, err := admission.New(config, account)
	must(t, err)
	return check
}

func (c *cluster) waitForVerdict(check *admission.Check, want string) admission.Verdict {
	c.t.Helper()
	var got admission.Verdict
	c.eventually("the verdict "+want, func() string {
		got = check.InForce(context.Background())
		if is := string(got.State) + " " + got.Reason; is != want {
			return fmt.Sprintf("it is %s: %s", is, got)
		}
		return ""
	})
	return got
}

func TestPolicyIsCheckedAtTheAPIServer(t *testing.T) {
	t.Parallel()
	c := clusterOfKratix(t)
	check := checkAs(t, c.shipped(), admission.Kratix())
	apply := func() { c.kubectl("apply", "-f", filepath.Join(root, "deploy/schedule/policy.yaml")) }
	follows := func(reason string) {
		t.Helper()
		got := c.waitForVerdict(check, "InForce "+reason)
		if !strings.Contains(got.Message, kratixNamespace+"/kratix-platform-controller-manager") || got.Fix != "" {
			t.Errorf("in force: %+v", got)
		}
		c.kubectl("delete", "validatingadmissionpolicybinding", "kratix-schedule-places")
		c.waitForVerdict(check, "NotInForce BindingMissing")
		apply()
		c.waitForVerdict(check, "InForce "+reason)
		c.kubectl("delete", "validatingadmissionpolicy", "kratix-schedule-places")
		c.waitForVerdict(check, "NotInForce PolicyMissing")
		apply()
		c.waitForVerdict(check, "InForce "+reason)
		c.kubectl("patch", "validatingadmissionpolicybinding", "kratix-schedule-places", "--type=merge", "-p", `{"spec":{"validationActions":["Audit"]}}`)
		got = c.waitForVerdict(check, "NotInForce BindingDoesNotDeny")
		if got.Object != "ValidatingAdmissionPolicyBinding kratix-schedule-places" || !strings.Contains(got.Fix, "admissionPolicy.validationActions={Deny}") {
			t.Errorf("Audit: %+v", got)
		}
		apply()
		c.waitForVerdict(check, "InForce "+reason)
	}
	follows("DeniedInDryRun")
	c.kubectl("delete", "rolebinding", "kratix-schedule-probe", "-n", kratixNamespace)
	follows("PolicyAsShipped")
	if left := c.kubectl("get", "workplacements", "-A", "-o", "name"); left != "" {
		t.Errorf("a check has written %s", left)
	}
}

func TestUpdatesAreChecked(t *testing.T) {
	t.Parallel()
	c := clusterOfKratix(t)
	check := checkAs(t, c.shipped(), admission.Kratix())
	c.waitForVerdict(check, "InForce DeniedInDryRun")
	w := work("a", nil, "one")
	w.Namespace = kratixNamespace
	c.kubectl("create", "-f", c.manifest(testkit.Placement(w, "worker-1")))
	before := c.get("workplacement/a.worker-1-5058f -n "+kratixNamespace, "{.metadata.resourceVersion}")
	c.waitForVerdict(check, "InForce DeniedInDryRun")
	c.kubectl("patch", "validatingadmissionpolicy", "kratix-schedule-places", "--type=json", "-p",
		`[{"op":"replace","path":"/spec/validations/0/expression","value":"request.operation == 'UPDATE'"}]`)
	got := c.waitForVerdict(check, "NotInForce PolicyDiffers")
	if !strings.Contains(got.Message, "can change the spec of WorkPlacements") {
		t.Errorf("got %+v", got)
	}
	if after := c.get("workplacement/a.worker-1-5058f -n "+kratixNamespace, "{.metadata.resourceVersion}"); after != before || after == "" {
		t.Errorf("a check has changed the WorkPlacement: %s, then %s", before, after)
	}
}

func TestOtherServiceAccounts(t *testing.T) {
	t.Parallel()
	c := clusterOfKratix(t)
	shipped := c.shipped()
	c.kubectl("create", "serviceaccount", "other", "-n", kratixNamespace)
	other := admission.ServiceAccount{Namespace: kratixNamespace, Name: "other"}
	got := c.waitForVerdict(checkAs(t, shipped, other), "NotInForce OtherServiceAccount") // this process may not impersonate the ServiceAccount
	if !strings.Contains(got.Fix, "--kratix-service-account") || !strings.Contains(got.Message, kratixAccount) {
		t.Errorf("got %+v", got)
	}
	c.kubectl("patch", "role", "kratix-schedule-probe", "-n", kratixNamespace, "--type=json", "-p", `[{"op":"add","path":"/rules/0/resourceNames/-","value":"other"}]`)
	c.waitForVerdict(checkAs(t, shipped, other), "Unknown ServiceAccountCannotPlace")
	c.kubectl("create", "clusterrolebinding", "other", "--clusterrole=kratix-platform-manager-role", "--serviceaccount="+kratixNamespace+":other")
	got = c.waitForVerdict(checkAs(t, shipped, other), "NotInForce OtherServiceAccount")
	if !strings.Contains(got.Message, "ServiceAccount kratix-platform-system/other can create WorkPlacements") {
		t.Errorf("got %+v", got)
	}

	kratixs := checkAs(t, shipped, admission.Kratix())
	c.waitForVerdict(kratixs, "InForce DeniedInDryRun")
	c.kubectl("patch", "validatingadmissionpolicy", "kratix-schedule-places", "--type=json", "-p", `[{"op":"remove","path":"/spec/matchConditions"}]`)
	got = c.waitForVerdict(kratixs, "DeniesSelf DeniesSelf")
	if !strings.Contains(got.Message, "kratix-schedule-places") {
		t.Errorf("got %+v", got)
	}
}

func TestRoleWithoutAccessYieldsNoVerdict(t *testing.T) {
	t.Parallel()
	c := clusterOfKratix(t)
	shipped := c.shipped()
	check := checkAs(t, shipped, admission.Kratix())
	c.waitForVerdict(check, "InForce DeniedInDryRun")
	c.kubectl("delete", "rolebinding", "kratix-schedule-probe", "-n", kratixNamespace)
	c.waitForVerdict(check, "InForce PolicyAsShipped")
	c.kubectl("delete", "clusterrolebinding", "kratix-schedule")
	c.waitForVerdict(check, "Unknown Forbidden")
	c.apiserver.kill()
	began := time.Now()
	if got := check.InForce(t.Context()); got.Reason != admission.ReasonAPIUnavailable || time.Since(began) > 11*time.Second {
		t.Errorf("after %s: %+v", time.Since(began), got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := check.InForce(ctx); got.State != admission.Unknown {
		t.Errorf("got %+v", got)
	}
}
