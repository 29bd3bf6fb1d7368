package kube

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const promises = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: promises.platform.kratix.io}
spec:
  group: platform.kratix.io
  names: {kind: Promise, plural: promises, singular: promise}
  scope: Cluster
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: healthrecords.platform.kratix.io}
spec:
  group: platform.kratix.io
  names: {kind: HealthRecord, plural: healthrecords, singular: healthrecord}
  scope: Namespaced
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          data:
            type: object
            required: [promiseRef, state]
            properties:
              promiseRef: {type: object, required: [name], properties: {name: {type: string}}}
              resourceRef: {type: object, required: [name, namespace], properties: {name: {type: string}, namespace: {type: string}, generation: {type: integer}}}
              state: {type: string, enum: [unknown, ready, unhealthy, healthy, degraded], default: unknown}
              lastRun: {type: integer, format: int64}
              details: {type: object, x-kubernetes-preserve-unknown-fields: true}
`

const promiseRedis = `
apiVersion: platform.kratix.io/v1alpha1
kind: Promise
metadata: {name: redis}
spec:
  api:
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: redises.example.com}
    spec:
      group: example.com
      names: {kind: redis, plural: redises, singular: redis}
      scope: Namespaced
      versions: [{name: v1, served: true, storage: true}]
`

const redisStatusRole = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: kratix-schedule-requests-redis}
rules:
- {apiGroups: [example.com], resources: [redises/status], verbs: [get, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: kratix-schedule-requests-redis}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kratix-schedule-requests-redis}
subjects: [{kind: ServiceAccount, name: kratix-schedule, namespace: kratix-schedule}]
`

func (p *platform) request(name string) {
	p.t.Helper()
	p.apply("apiVersion: example.com/v1\nkind: redis\nmetadata: {name: " + name + ", namespace: default}\nspec: {}\n")
}

func TestRequestLearnsInItsStatus(t *testing.T) {
	t.Parallel()
	l := newLoop(t)
	l.apply(redisPromise + "---" + promises)
	l.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	l.kubectl("apply", "-k", filepath.Join(root, "deploy/requests"))
	l.kubectl("apply", "-k", filepath.Join(root, "deploy/health-records"))
	l.eventually("the Promise", func() string {
		_, err := l.try("apply", "-f", l.write("promise.yaml", promiseRedis))
		return text(err)
	})
	l.request("one")
	l.object(work("one", nil, "settings"))
	l.flags = append(l.flags, "--request-status", "--health-records")
	l.restart()
	l.waitUntilApplied("one")

	l.eventually("the report", func() string {
		said, err := page(l.at, "/api/v1/report")
		if err != nil || !strings.Contains(said, "the status of its requests is not written: not granted") {
			return text(err) + " " + said
		}
		return ""
	})
	l.waitForField("redis/one", "{.status}", "")
	l.apply(redisStatusRole)
	l.restart()
	field := func(name string) string { return "{.status.kratixSchedule." + name + "}" }
	l.waitForField("redis/one", field("destinations[0].healthy"), "True")
	l.waitForField("redis/one", field("destinations[0].applied"), "True")
	l.waitForField("redis/one", field("destinations[0].revision"), l.get(placementOf("one"), "{.status.versionID}"))
	l.waitForField("redis/one", field("destinations[0].path"), "worker-1/resources/default/redis/one/instance/5058f")

	l.request("two")
	l.kubectl("patch", "redis/two", "--subresource=status", "--type=merge", "--patch", `{"status": {"message": "Resource requested"}}`)
	l.object(work("two", nil, "settings"))
	l.waitForField("redis/two", field("heldBack.reason"), "DuplicateResources")
	l.waitForField("redis/two", field("heldBack.owner"), "Work default/one: request default/one of Promise redis")
	l.object(work("two", nil, "others"))
	l.waitForField("redis/two", field("destinations[0].healthy"), "True")
	l.waitForField("redis/two", field("heldBack"), "")
	l.waitForField("redis/two", "{.status.message}", "Resource requested")
	for name, uid := range map[string]string{"one": l.get("work/one", "{.metadata.uid}"), "two": l.get("work/two", "{.metadata.uid}")} {
		record := `{.items[?(@.data.resourceRef.name==` + strconv.Quote(name) + `)]`
		l.waitForField("healthrecords", record+".data.state}", "healthy")
		l.waitForField("healthrecords", record+".metadata.ownerReferences[0].uid}", uid)
		l.waitForField("healthrecords", record+".data.details.destinations[0].name}", "worker-1")
	}

	// A status that is up to date is not written again.
	before := l.get("redis/two", "{.metadata.resourceVersion}")
	l.restart()
	l.object(work("three", nil, "more"))
	l.waitUntilApplied("three")
	l.waitForField("redis/two", "{.metadata.resourceVersion}", before)
}
