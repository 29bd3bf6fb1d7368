package kube

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const redisPromise = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: redises.example.com}
spec:
  group: example.com
  names: {kind: redis, plural: redises, singular: redis}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, properties: {
      spec: {type: object, x-kubernetes-preserve-unknown-fields: true},
      status: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: caches.example.com}
spec:
  group: example.com
  names: {kind: cache, plural: caches, singular: cache}
  scope: Cluster
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, properties: {
      status: {type: object, properties: {message: {type: string}}}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: redis-pipeline, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: redis-pipeline}
rules:
- {apiGroups: [platform.kratix.io], resources: [works], verbs: [list, create, update]}
- {apiGroups: [example.com], resources: [redises, caches], verbs: [get]}
- {apiGroups: [example.com], resources: [redises/status, caches/status], verbs: [update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: redis-pipeline}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: redis-pipeline}
subjects: [{kind: ServiceAccount, name: redis-pipeline, namespace: default}]
`

const redisRequest = "apiVersion: example.com/v1\nkind: redis\nmetadata: {name: one, namespace: default}\n"

const hidden = "correct-horse-battery"

type pipelineCluster struct {
	*cluster
	kratix     string
	kubeconfig string
	said       strings.Builder
	mu         sync.Mutex
}

func newPipelineCluster(t *testing.T) *pipelineCluster {
	t.Helper()
	w := &pipelineCluster{cluster: start(t, "base"), kratix: t.TempDir()}
	w.apply(redisPromise)
	w.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	token := w.kubectl("create", "token", "redis-pipeline", "--namespace", "default", "--duration=2h")
	w.kubeconfig = w.cluster.kubeconfig("pipeline", token, w.url)
	w.eventually("the kind redis", func() string {
		_, err := w.try("get", "redises")
		return text(err)
	})
	w.writeFile("input/object.yaml", redisRequest)
	w.writeFile("output/redis.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: one}\nstringData: {password: "+hidden+"}\n")
	t.Cleanup(func() {
		for _, secret := range []string{hidden, token} {
			if strings.Contains(w.said.String(), secret) {
				t.Errorf("a secret was printed:\n%s", w.said.String())
			}
		}
	})
	return w
}

func (w *pipelineCluster) writeFile(path, content string) {
	w.t.Helper()
	path = filepath.Join(w.kratix, path)
	must(w.t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(w.t, os.WriteFile(path, []byte(content), 0o600))
}

func (w *pipelineCluster) run(environment []string, args ...string) (string, error) {
	cmd := exec.Command(program, append(args, "--from", w.kratix, "--kubeconfig", w.kubeconfig)...)
	cmd.Env = append(append(os.Environ(), "HOME="+w.dir), environment...)
	said, err := cmd.CombinedOutput()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said.Write(said)
	return strings.TrimSpace(string(said)), err
}

func (w *pipelineCluster) expectOutput(want string, args ...string) {
	w.t.Helper()
	if said, err := w.run(nil, args...); err != nil || said != want {
		w.t.Errorf("%s: %v, it says\n%s\nwant\n%s", strings.Join(args, " "), err, said, want)
	}
}

func (w *pipelineCluster) expectFailure(want string, args ...string) {
	w.t.Helper()
	if said, err := w.run(nil, args...); err == nil || !strings.Contains(said, want) {
		w.t.Errorf("%s: %v, it says\n%s\nwant\n%s", strings.Join(args, " "), err, said, want)
	}
}

func (w *pipelineCluster) countWrites(resource string) int {
	w.t.Helper()
	sum := 0
	for line := range strings.Lines(w.kubectl("get", "--raw", "/metrics")) {
		if !strings.HasPrefix(line, "apiserver_request_total{") || !strings.Contains(line, `resource="`+resource+`"`) {
			continue
		}
		if strings.Contains(line, `verb="GET"`) || strings.Contains(line, `verb="LIST"`) || strings.Contains(line, `verb="WATCH"`) {
			continue
		}
		count, err := strconv.Atoi(line[strings.LastIndex(line, " ")+1 : len(line)-1])
		must(w.t, err)
		sum += count
	}
	return sum
}

func (w *pipelineCluster) expectNoWrite(resource, want string, args ...string) {
	w.t.Helper()
	before := w.countWrites(resource)
	w.expectOutput(want, args...)
	if now := w.countWrites(resource); now != before || before == 0 {
		w.t.Errorf("%d writes, then %d", before, now)
	}
}

func applyArgs() []string {
	return []string{"work", "--promise", "redis", "--pipeline", "instance", "--apply"}
}

func TestPipelinesWorkIsWrittenOnce(t *testing.T) {
	t.Parallel()
	w := newPipelineCluster(t)
	const name = "redis-one-default-instance-c82c4"
	const work = "work/" + name
	w.expectOutput("created Work default/"+name, applyArgs()...)
	w.expectNoWrite("works", "unchanged Work default/"+name, applyArgs()...)
	if w.get(work, "{.spec.lastExecutionTimestamp}") == "" {
		t.Error("it does not say when it was made")
	}

	w.writeFile("output/more/two.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\n")
	w.writeFile("metadata/destination-selectors.yaml", "- directory: more\n  matchLabels: {zone: a}\n")
	w.expectOutput("updated Work default/"+name, applyArgs()...)
	w.waitForField(work, "{.spec.workloadGroups[*].directory}", "more .")
	w.waitForField(work, "{.spec.workloadGroups[0].destinationSelectors[0].matchLabels.zone}", "a")

	// A Work that Kratix has created keeps its name.
	w.kubectl("delete", work)
	w.apply("apiVersion: platform.kratix.io/v1alpha1\nkind: Work\nmetadata:\n  name: redis-one-instance-0a1b2\n  namespace: default\n" +
		"  finalizers: [kratix.io/work-cleanup]\n" +
		"  labels: {kratix.io/promise-name: redis, kratix.io/resource-name: one, kratix.io/pipeline-name: instance, kratix.io/work-type: resource}\n" +
		"spec: {promiseName: redis, resourceName: one, lastExecutionTimestamp: \"2026-01-01T00:00:00Z\"}\n")
	w.expectOutput("updated Work default/redis-one-instance-0a1b2", applyArgs()...)
	w.expectOutput("unchanged Work default/redis-one-instance-0a1b2", applyArgs()...)
	w.waitForField("works", "{.items[*].metadata.name}", "redis-one-instance-0a1b2")
	w.waitForField("works", "{.items[0].metadata.finalizers[0]}", "kratix.io/work-cleanup")

	w.kubectl("delete", "works", "--all", "--wait=false")
	w.expectFailure("the Work redis-one-instance-0a1b2 of an earlier run is being deleted; run this again once it is gone", applyArgs()...)
}

func TestPipelinesThatEndAtOnceMakeOneWork(t *testing.T) {
	t.Parallel()
	w := newPipelineCluster(t)
	var running sync.WaitGroup
	said := make([]string, 8)
	for i := range said {
		running.Go(func() {
			var err error
			if said[i], err = w.run(nil, applyArgs()...); err != nil {
				t.Errorf("%v: %s", err, said[i])
			}
		})
	}
	running.Wait()
	if created := strings.Count(strings.Join(said, "\n"), "created"); created != 1 {
		t.Errorf("%d were created: %q", created, said)
	}
}

func TestFieldThatTheClusterDoesNotHaveIsRefused(t *testing.T) {
	t.Parallel()
	w := newPipelineCluster(t)
	w.kubectl("patch", "crd", "works.platform.kratix.io", "--type=json", "-p",
		`[{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/workloadGroups/items/properties/destinationSelectors/items/properties/matchExpressions"}]`)
	w.writeFile("metadata/destination-selectors.yaml", "- matchExpressions: [{key: gpu, operator: Exists}]\n")
	w.eventually("the field is unknown", func() string {
		said, err := w.run(nil, applyArgs()...)
		if err == nil || !strings.Contains(said, `unknown field "spec.workloadGroups[0].destinationSelectors[0].matchExpressions"`) {
			w.try("delete", "works", "--all")
			return said
		}
		return ""
	})
}

func TestPipelinesWordsAreMergedIntoTheStatus(t *testing.T) {
	t.Parallel()
	w := newPipelineCluster(t)
	w.apply(redisRequest)
	w.kubectl("patch", "redis", "one", "--subresource=status", "--type=merge", "-p",
		`{"status": {"message": "Pending", "own": "stays", "connection": {"port": 1}, "conditions": [{"type": "Reconciled", "status": "True"}]}}`)
	w.writeFile("metadata/status.yaml", "connection: {password: "+hidden+"}\nreplicas: 3\n")
	w.expectOutput("updated status of redis default/one: conditions, connection, message, replicas", "status")
	for path, want := range map[string]string{
		"{.status.message}":               "Resource requested",
		"{.status.own}":                   "stays",
		"{.status.replicas}":              "3",
		"{.status.connection}":            `{"password":"` + hidden + `"}`,
		"{.status.conditions[*].type}":    "Reconciled PipelineCompleted",
		"{.status.conditions[1].message}": "Pipeline completed",
		"{.metadata.generation}":          "1",
	} {
		if got := w.get("redis/one", path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if got := w.condition("redis/one", "PipelineCompleted"); got != "True PipelineExecutedSuccessfully" {
		t.Errorf("the condition is %q", got)
	}
	w.expectNoWrite("redises", "unchanged status of redis default/one", "status")

	// A key without a value removes the field.
	w.writeFile("metadata/status.yaml", "message: up\nreplicas:\n")
	w.expectOutput("updated status of redis default/one: conditions, message, replicas", "status", "--condition", "ConfigureWorkflowCompleted")
	w.waitForField("redis/one", "{.status.message}{.status.replicas}", "up")
	w.waitForField("redis/one", "{.status.conditions[*].type}", "Reconciled PipelineCompleted ConfigureWorkflowCompleted")
}

func TestStatusThatOthersWriteTooLosesNothing(t *testing.T) {
	t.Parallel()
	w := newPipelineCluster(t)
	w.apply(redisRequest)
	w.writeFile("metadata/status.yaml", "message: up\n")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				_, _ = w.try("patch", "redis", "one", "--subresource=status", "--type=merge", "-p", fmt.Sprintf(`{"status": {"other": "%d"}}`, n))
			}
		}
	}()
	var running sync.WaitGroup
	for _, condition := range []string{"PipelineCompleted", "ConfigureWorkflowCompleted", "none"} {
		for range 4 {
			running.Go(func() {
				if said, err := w.run(nil, "status", "--condition", condition); err != nil {
					t.Errorf("%v: %s", err, said)
				}
			})
		}
	}
	running.Wait()
	close(stop)
	<-stopped
	if got := w.get("redis/one", "{.status.message} {.status.conditions[*].type}"); got != "up PipelineCompleted ConfigureWorkflowCompleted" && got != "up ConfigureWorkflowCompleted PipelineCompleted" {
		t.Errorf("the status is %q", got)
	}
	if w.get("redis/one", "{.status.other}") == "" {
		t.Error("what the other wrote is lost")
	}
}

func TestStatusForADeletedRequest(t *testing.T) {
	t.Parallel()
	w := newPipelineCluster(t)
	w.writeFile("metadata/status.yaml", "message: "+hidden+"\n")
	w.expectFailure("redis default/one: it is not in the cluster: it was deleted, or the cluster is not the one that the pipeline ran for", "status")

	w.apply(redisRequest)
	w.writeFile("input/object.yaml", "apiVersion: example.com/v1\nkind: redis\nmetadata: {name: one, namespace: default, uid: of-an-earlier-one}\n")
	w.expectFailure("there is another of the same name", "status")
	if got := w.get("redis/one", "{.status}"); got != "" {
		t.Errorf("the status of another is %s", got)
	}
	w.writeFile("input/object.yaml", "apiVersion: example.com/v1\nkind: kafka\nmetadata: {name: one}\n")
	w.expectFailure("the cluster serves no kind kafka in example.com/v1: is its Promise installed?", "status")
	w.writeFile("input/object.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: one}\n")
	w.expectFailure("its CustomResourceDefinition has no status subresource", "status")
	w.writeFile("input/object.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: one, namespace: default}\n")
	w.expectFailure(`deployments.apps "one" is forbidden`, "status")
}

func TestStatusOfTheRequestInTheEnvironment(t *testing.T) {
	t.Parallel()
	w := newPipelineCluster(t)
	w.apply("apiVersion: example.com/v1\nkind: cache\nmetadata: {name: wide}\n")
	must(t, os.Remove(filepath.Join(w.kratix, "input/object.yaml")))
	w.writeFile("metadata/status.yaml", "message: up\nendpoint: "+hidden+"\n")
	kratix := []string{
		"KRATIX_OBJECT_GROUP=example.com", "KRATIX_OBJECT_VERSION=v1", "KRATIX_OBJECT_KIND=cache", "KRATIX_OBJECT_NAME=wide",
		"KRATIX_OBJECT_NAMESPACE=", "IS_LAST_PIPELINE=false",
	}
	said, err := w.run(kratix, "status")
	const want = "kratix-schedule: the API server did not keep all of endpoint in the status of cache wide: its CustomResourceDefinition does not have such fields\n" +
		"updated status of cache wide: endpoint, message"
	if err != nil || said != want {
		t.Errorf("%v, it says\n%s", err, said)
	}
	w.waitForField("cache/wide", "{.status}", `{"message":"up"}`)
	if said, err := w.run(append(kratix, "KRATIX_DRY_RUN=true"), "status"); err != nil || !strings.Contains(said, "message") {
		t.Errorf("%v, it says\n%s", err, said)
	}
	w.waitForField("cache/wide", "{.status.message}", "Dry run executed")
}
