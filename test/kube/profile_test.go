package kube

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

const downService = `apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.example.com}
spec:
  group: metrics.example.com
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {name: metrics, namespace: kube-system}
`

func profiler(t *testing.T, c *cluster) string {
	t.Helper()
	page, err := os.ReadFile(root + "/docs/how-to/profile-a-cluster.md")
	must(t, err)
	_, role, _ := strings.Cut(string(page), "```yaml\n")
	role, _, found := strings.Cut(role, "```\n")
	if !found || !strings.Contains(role, "kind: ClusterRole") {
		t.Fatal("the page has no ClusterRole")
	}
	c.apply(role)
	c.kubectl("create", "serviceaccount", "profiler", "--namespace", "default")
	c.kubectl("create", "clusterrolebinding", "profiler", "--clusterrole=kratix-schedule-profile", "--serviceaccount=default:profiler")
	return c.kubeconfig("profiler", c.kubectl("create", "token", "profiler", "--namespace", "default", "--duration=2h"), c.url)
}

func profileOf(t *testing.T, kubeconfig string, args ...string) (text, said string) {
	t.Helper()
	cmd := exec.Command(program, append([]string{"profile", "--kubeconfig", kubeconfig, "--name", "worker-1"}, args...)...)
	var trouble strings.Builder
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, trouble.String())
	}
	return string(out), trouble.String()
}

func TestProfileOfARealCluster(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	p.apply(downService)
	user := profiler(t, p.cluster)
	p.waitForField("apiservice/v1beta1.metrics.example.com", `{.status.conditions[?(@.type=="Available")].status}`, "False")
	text, said := profileOf(t, user)
	read, err := profile.Parse([]byte(text))
	must(t, err)
	if !strings.Contains(said, "warning: the API server cannot list the group metrics.example.com: ") || len(read.Unread) != 1 || strings.Contains(text, "description:") && strings.Count(text, "description:") > 20 {
		t.Errorf("it says %s, and has %+v", said, read.Unread)
	}
	for line := range strings.Lines(p.kubectl("api-resources", "--no-headers", "-o", "wide")) {
		fields := strings.Fields(line)
		for i, field := range fields { // the columns are NAME [SHORTNAMES] APIVERSION NAMESPACED KIND VERBS
			if field != "true" && field != "false" {
				continue
			}
			if !strings.Contains(text, "kind: "+fields[i+1]+"\n") {
				t.Errorf("the profile lacks %s of %s", fields[i+1], fields[i-1])
			}
			break
		}
	}
	if versions := strings.Fields(p.kubectl("api-versions")); len(versions) < 20 {
		t.Errorf("the cluster serves only %v", versions)
	} else {
		for _, version := range versions {
			if !strings.Contains(text, "apiVersion: "+version+"\n") && !strings.Contains(version, "metrics.example.com") {
				t.Errorf("the profile lacks all kinds of %s", version)
			}
		}
	}
	if names := strings.Fields(p.kubectl("get", "crd", "-o", "jsonpath={.items[*].metadata.name}")); len(names) != len(read.Definitions) {
		t.Errorf("the cluster has %v, the profile %d definitions", names, len(read.Definitions))
	}

	p.destination("worker-1", "default", "none", nil)
	configMap, _ := profileOf(t, user, "--configmap")
	p.apply(configMap)
	p.schedule("--check-apply", "quarantine")
	inShop := testkit.Request("a", testkit.WithPipeline("instance"), testkit.WithFile("one.yaml", testkit.ConfigMaps("one")+"  namespace: shop\n"))
	p.object(inShop)
	p.object(work("b", nil, "two"))
	p.waitForFiles("worker-1/resources/default/redis/b/instance/5058f/two.yaml")
	p.kubectl("create", "namespace", "shop")
	time.Sleep(time.Second) // the time in a profile has whole seconds
	configMap, _ = profileOf(t, user, "--configmap")
	p.apply(configMap)
	p.waitForFiles("worker-1/resources/default/redis/a/instance/5058f/one.yaml", "worker-1/resources/default/redis/b/instance/5058f/two.yaml")
}
