package kube

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestManifestsHaveNoUnknownFields(t *testing.T) {
	t.Parallel()
	c := start(t, "base")
	c.apply(kratixRole)
	strictly := []string{"--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict"}
	for _, dir := range []string{"crds", "crds/own", "base", "observe", "promote", "schedule", "secrets"} {
		c.kubectl(append([]string{"apply", "-k", filepath.Join(root, "deploy", dir)}, strictly...)...)
	}
	for _, values := range []string{"mode=manage", "mode=observe", "mode=promote", "mode=schedule", "crds.enabled=true,secrets.namespaces={default,kube-system}"} {
		made, err := c.helm("template", "kratix-schedule", chart, "--namespace", namespace, "--set", values, "--set", "namespace.create=true")
		must(t, err)
		c.kubectl(append([]string{"apply", "-f", c.write("chart.yaml", made)}, strictly...)...)
	}
	broken := strings.Replace(c.kubectl("kustomize", filepath.Join(root, "deploy/base")), "runAsNonRoot:", "runAsNonroot:", 1)
	if said, err := c.try(append([]string{"apply", "-f", c.write("broken.yaml", broken)}, strictly...)...); err == nil || !strings.Contains(err.Error(), "runAsNonroot") {
		t.Errorf("a misspelt field is not told: %s, %v", said, err)
	}

	var pod map[string]any
	must(t, json.Unmarshal([]byte(c.get("-n "+namespace+" deployment/kratix-schedule", "{.spec.template}")), &pod))
	admitted := func(change func(container map[string]any)) error {
		spec := pod["spec"].(map[string]any)                   //nolint:forcetypeassert // the API server returned it
		change(spec["containers"].([]any)[0].(map[string]any)) //nolint:forcetypeassert // the API server returned it
		pod["apiVersion"], pod["kind"] = "v1", "Pod"
		pod["metadata"] = map[string]any{"name": "one", "namespace": namespace}
		text, err := json.Marshal(pod)
		must(t, err)
		_, err = c.try("create", "--dry-run=server", "-f", c.write("pod.json", string(text)))
		return err
	}
	must(t, admitted(func(map[string]any) {}))
	if err := admitted(func(container map[string]any) { delete(container, "securityContext") }); err == nil || !strings.Contains(err.Error(), "PodSecurity") {
		t.Errorf("the namespace admits any Pod: %v", err)
	}
}

const chart = root + "/deploy/charts/kratix-schedule"

func (c *cluster) helm(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(root, "bin/kube/helm"), append(args, "--kubeconfig", c.admin)...)
	cmd.Env = append(os.Environ(), "HOME="+c.dir, "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=", "XDG_DATA_HOME=")
	return output(cmd)
}

func TestChartFromInstallToUninstall(t *testing.T) {
	t.Parallel()
	c := emptyCluster(t)
	flags := []string{"kratix-schedule", chart, "--namespace", namespace, "--set", "crds.enabled=true,secrets.namespaces={default}"}
	said, err := c.helm(append([]string{"install", "--create-namespace"}, flags...)...)
	must(t, err)
	if !strings.Contains(said, "Kratix's own must not run at the same time") || strings.Contains(said, "It may read no Secret yet") {
		t.Errorf("it says\n%s", said)
	}
	c.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	p := platformOn(t, c)
	p.destination("worker-1", "default", "none", nil)
	scheduler := p.schedule("--leader-elect", "--listen", address(t))
	p.object(work("a", nil, "one"))
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")
	p.waitForFiles("worker-1/resources/default/redis/a/instance/5058f/one.yaml")
	p.object(work("b", nil, "one"))
	p.waitForCondition("work/b", "ConflictFree", "False DuplicateResources")
	p.waitForCondition("work/b", "Ready", "False WorkplacementsFailing")
	var columns []string
	for line := range strings.Lines(p.kubectl("get", "works")) {
		fields := strings.Fields(line)
		columns = append(columns, strings.Join(fields[:len(fields)-1], " "))
	}
	if want := []string{"NAME READY STATUS CONFLICT-FREE", "a True Ready True", "b False Failing False"}; !slices.Equal(columns, want) {
		t.Errorf("kubectl get works shows %q, want %q", columns, want)
	}
	scheduler.stop(t)

	if said, err := c.helm(append([]string{"upgrade", "--set", "mode=watch"}, flags...)...); err == nil || !strings.Contains(err.Error(), "/mode") {
		t.Errorf("a wrong value is taken: %s, %v", said, err)
	}
	may := func(verb, kind string) string {
		answer, _ := c.try("auth", "can-i", verb, kind, "-n", "default", "--as", "system:serviceaccount:"+namespace+":kratix-schedule")
		return strings.TrimSpace(answer)
	}
	if got := may("create", "workplacements.platform.kratix.io"); got != "yes" {
		t.Errorf("the scheduler may create WorkPlacements: %s", got)
	}
	_, err = c.helm(append([]string{"upgrade", "--set", "mode=observe"}, flags...)...)
	must(t, err)
	c.eventually("the observer's rights", func() string {
		if got := may("create", "workplacements.platform.kratix.io"); got != "no" {
			return "it may create WorkPlacements: " + got
		}
		return ""
	})
	c.waitForField("-n "+namespace+" deployment/kratix-schedule", "{.spec.template.spec.containers[0].args}", `["run","--kube","--dry-run","--leader-elect","--listen=:8080","--listen-page=127.0.0.1:8081","--events-secret-file=/etc/kratix-schedule/events/token","--git-events-secret-file=/etc/kratix-schedule/events/git"]`)
	p.schedule("--dry-run", "--leader-elect", "--listen", address(t))
	p.object(work("c", nil, "one"))
	p.waitForCondition("work/c", "ConflictFree", "False DuplicateResources")

	_, err = c.helm("uninstall", "kratix-schedule", "--namespace", namespace)
	must(t, err)
	if left, err := c.try("get", "-n", namespace, "deployment,service,serviceaccount,role,networkpolicy,pdb", "-l", "app.kubernetes.io/name=kratix-schedule", "-o", "name"); err != nil || left != "" {
		t.Errorf("uninstalled, and there are %s, %v", left, err)
	}
	if left := c.kubectl("get", "works", "-o", "name"); !strings.Contains(left, "/a") || !strings.Contains(left, "/c") {
		t.Errorf("the Works left are %q", left)
	}
}
