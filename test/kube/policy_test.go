package kube

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

const (
	kratixNamespace = "kratix-platform-system"
	kratixAccount   = "system:serviceaccount:" + kratixNamespace + ":kratix-platform-controller-manager"
)

const kratixRole = `apiVersion: v1
kind: Namespace
metadata: {name: kratix-platform-system}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: kratix-platform-controller-manager, namespace: kratix-platform-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: kratix-platform-manager-role}
rules:
- {apiGroups: [platform.kratix.io], resources: [works, workplacements], verbs: [get, list, watch, create, update, patch, delete]}
- {apiGroups: [platform.kratix.io], resources: [workplacements/status], verbs: [get, update, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: kratix-platform-manager-rolebinding}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kratix-platform-manager-role}
subjects: [{kind: ServiceAccount, name: kratix-platform-controller-manager, namespace: kratix-platform-system}]
`

func clusterOfKratix(t testing.TB, flags ...string) *cluster {
	t.Helper()
	c := emptyCluster(t, flags...)
	c.apply(kratixRole)
	c.kubectl("apply", "-k", filepath.Join(root, "deploy/crds"))
	c.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	c.kubectl("apply", "-k", filepath.Join(root, "deploy/schedule"))
	return c
}

func (c *cluster) manifest(p *kratix.WorkPlacement) string {
	c.t.Helper()
	text, err := yaml.Marshal(p)
	must(c.t, err)
	return c.write(p.Name+".yaml", string(text))
}

func TestKratixPlacesNothing(t *testing.T) {
	t.Parallel()
	c := clusterOfKratix(t)
	large := work("large", nil, "one")
	for i := range 300 {
		noise := make([]byte, 3000) // cannot be compressed
		for n := range noise {
			noise[n] = byte(rand.IntN(256))
		}
		large.Spec.WorkloadGroups[0].Workloads = append(large.Spec.WorkloadGroups[0].Workloads,
			kratix.Workload{Filepath: fmt.Sprintf("%d.yaml", i), Content: kratix.Encode(noise)})
	}
	placement := func(w *kratix.Work) string {
		return c.manifest(testkit.Placement(w, "worker-1"))
	}
	bare := c.write("bare.yaml", "apiVersion: platform.kratix.io/v1alpha1\nkind: WorkPlacement\nmetadata: {name: bare, namespace: default}\n")
	const denied = "kratix-schedule places Works, Kratix does not; see the condition ConflictFree of the Work"
	asKratix := func(args ...string) error {
		_, err := c.try(append(args, "--as", kratixAccount)...)
		return err
	}
	isDenied := func(args ...string) string {
		if err := asKratix(args...); err == nil || !strings.Contains(err.Error(), denied) {
			return fmt.Sprintf("%s: got %v, want it denied by the policy", args, err)
		}
		return ""
	}
	first := placement(work("a", nil, "one"))
	c.eventually("the policy", func() string { return isDenied("create", "--dry-run=server", "-f", first) })
	if problem := isDenied("create", "-f", bare); problem != "" {
		t.Error(problem)
	}
	c.kubectl("create", "-f", first) // as the administrator
	c.kubectl("create", "-f", bare)
	c.kubectl("create", "-f", placement(large), "--as", "system:serviceaccount:"+namespace+":kratix-schedule")

	for _, patch := range []string{
		`{"spec":{"targetDestinationName":"worker-2"}}`, `{"spec":{"workloads":[]}}`, `{"spec":{"generation":7}}`, `{"spec":null}`,
		`{"metadata":{"labels":{"a":"b"}},"spec":{"generation":7}}`,
	} {
		if problem := isDenied("patch", "workplacement/a.worker-1-5058f", "--type=merge", "-p", patch); problem != "" {
			t.Error(problem)
		}
	}
	if problem := isDenied("patch", "workplacement/bare", "--type=merge", "-p", `{"spec":{"generation":7}}`); problem != "" {
		t.Error(problem)
	}
	for _, object := range []string{"a.worker-1-5058f", "large.worker-1-5058f", "bare"} {
		for _, args := range [][]string{
			{"label", "workplacement/" + object, "kratix.io/misplaced=true"},
			{"patch", "workplacement/" + object, "--type=merge", "-p", `{"metadata":{"finalizers":["finalizers.workplacement.kratix.io/repo-cleanup"]}}`},
			{"patch", "workplacement/" + object, "--type=merge", "-p", `{"metadata":{"ownerReferences":[{"apiVersion":"platform.kratix.io/v1alpha1","kind":"Work","name":"a","uid":"1"}]}}`},
			{"patch", "workplacement/" + object, "--subresource=status", "--type=merge", "-p", `{"status":{"versionID":"1"}}`},
			{"delete", "workplacement/" + object, "--wait=false"},
			{"patch", "workplacement/" + object, "--type=merge", "-p", `{"metadata":{"finalizers":null}}`},
		} {
			must(t, asKratix(args...))
		}
	}
	if left := c.kubectl("get", "workplacements", "-A", "-o", "name"); left != "" {
		t.Errorf("deleted, and there are %s", left)
	}
}
