package applycheck

import (
	"strings"
	"testing"
)

func TestRefusedObjectIsAFinding(t *testing.T) {
	const metadata = "\nmetadata: {name: a, namespace: default}\n"
	for name, c := range map[string]struct{ object, want string }{
		"required field":                         {"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy" + metadata + "spec: {podSelector: {}, ingress: [{from: [{ipBlock: {}}]}]}\n", "spec.ingress[0].from[0].ipBlock.cidr: Required value"},
		"required field that is empty":           {"apiVersion: v1\nkind: Pod" + metadata + "spec: {containers: [{name: '', image: a}]}\n", "spec.containers[0].name: Required value"},
		"required number":                        {"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler" + metadata + "spec: {scaleTargetRef: {kind: Deployment, name: a}, maxReplicas: 0}\n", "spec.maxReplicas: Required value: must be set and greater than 0"},
		"required field in a status":             {"apiVersion: apps/v1\nkind: StatefulSet" + metadata + "spec: {serviceName: a, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}, volumeClaimTemplates: [{metadata: {name: a}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}, status: {modifyVolumeStatus: {status: pending}}}]}\n", ""},
		"value with a variable":                  {"apiVersion: v1\nkind: Pod" + metadata + "spec: {containers: [{name: '${name}', image: a}]}\n", ""},
		"empty enum":                             {"apiVersion: networking.k8s.io/v1\nkind: Ingress" + metadata + "spec: {rules: [{http: {paths: [{pathType: '', path: /, backend: {service: {name: a, port: {number: 80}}}}]}}]}\n", `pathType: Unsupported value: ""`},
		"empty enum that is the default":         {"apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: a}\nprovisioner: a\nreclaimPolicy: ''\n", ""},
		"Ingress that leads nowhere":             {"apiVersion: networking.k8s.io/v1\nkind: Ingress" + metadata + "spec: {ingressClassName: a}\n", "either `defaultBackend` or `rules` must be specified"},
		"kind of role":                           {"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: a}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}\n", `roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"`},
		"labels of a ReplicationController":      {"apiVersion: v1\nkind: ReplicationController" + metadata + "spec: {selector: {a: b}, template: {metadata: {labels: {a: c}}, spec: {containers: [{name: a, image: b}]}}}\n", "`selector` does not match template `labels`"},
		"name of an APIService":                  {"apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: a}\nspec: {group: b.c, version: v1, groupPriorityMinimum: 1, versionPriority: 1}\n", "must be `spec.version+\".\"+spec.group`: \"v1.b.c\""},
		"name that no URL has":                   {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a/b, namespace: default}\n", `invalid resource name "a/b": [may not contain '/']`},
		"name of an IPAddress":                   {"apiVersion: networking.k8s.io/v1\nkind: IPAddress\nmetadata: {name: a}\nspec: {parentRef: {resource: services, name: a}}\n", "must be a valid IP address"},
		"name of a budget, which is not checked": {"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: ä, namespace: default}\nspec: {minAvailable: 1}\n", ""},
	} {
		said := strings.Join(checkOne(t, "1.36", c.object), "\n")
		if !strings.Contains(said, c.want) || c.want == "" && strings.Contains(said, "error") {
			t.Errorf("%s: it says %q, want %q", name, said, c.want)
		}
	}
}

func TestInvalidDefinitionIsAFinding(t *testing.T) {
	valid := `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: toys.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: toys, kind: Toy, shortNames: [ty]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
    additionalPrinterColumns: [{name: A, type: string, jsonPath: .spec.a}]
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {l: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: string}}}}}}}}}
`
	for _, accepted := range []string{valid, strings.Replace(valid, "scope: Namespaced", "scope: Namespaced\n  conversion: {}", 1)} {
		if said := checkOne(t, "1.36", accepted); len(said) > 0 {
			t.Fatalf("the valid one: %q", said)
		}
	}
	for _, c := range [][3]string{
		{"shortNames: [ty]", "shortNames: [T_y]", "spec.names.shortNames[0]: Invalid value: \"T_y\": a DNS-1035 label"},
		{"storage: true", "storage: false", "must have exactly one version marked as storage version"},
		{"name: v1", "name: V1", "spec.versions[0].name: Invalid value"},
		{"type: string, jsonPath", "jsonPath", "must be one of boolean,date,integer,number,string"},
		{"jsonPath: .spec.a", "jsonPath: spec.a", "must be a simple json path starting with ."},
		{"specReplicasPath: .spec.replicas, ", "", "specReplicasPath: Required value"},
		{"k: {type: string}", "k: {type: text}", `properties[k].type: Unsupported value: "text": supported values: "array"`},
		{"map-keys: [k]", "map-keys: [m]", "entries must all be names of item properties"},
		{"list-type: map", "list-type: bag", `x-kubernetes-list-type: Unsupported value: "bag"`},
		{"properties: {spec: {", "description: [a], properties: {spec: {", "cannot unmarshal array into Go struct field"},
		{"names: {plural", "conversion: {strategy: Some}\n  names: {plural", "spec.conversion.strategy: Unsupported value"},
	} {
		if !strings.Contains(valid, c[0]) {
			t.Fatalf("there is no %q", c[0])
		}
		said := strings.Join(checkOne(t, "1.36", strings.Replace(valid, c[0], c[1], 1)), "\n")
		if !strings.Contains(said, c[2]) {
			t.Errorf("%q: it says %q, want %q", c[1], said, c[2])
		}
	}
}

func TestRefusedChangeIsAFinding(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: default}\nspec: {containers: [{name: a, image: b, command: [c]}]}\n"
	const claim = "apiVersion: resource.k8s.io/v1\nkind: ResourceClaim\nmetadata: {name: a, namespace: default}\nspec: {devices: {requests: [{name: a, exactly: {deviceClassName: b}}]}}\n"
	const node = "apiVersion: storage.k8s.io/v1\nkind: CSINode\nmetadata: {name: a}\nspec: {drivers: [{name: a.b, nodeID: c}]}\n"
	for name, c := range map[string]struct{ stored, from, to, want string }{
		"image of a pod":                 {pod, "image: b", "image: c", ""},
		"command of a pod":               {pod, "command: [c]", "command: [d]", "pod updates may not change fields"},
		"field of a pod that is dropped": {pod, "command: [c]", "command: [c], comand: d", ""},
		"default of a pod":               {pod, "command: [c]", "command: [c], imagePullPolicy: Always", ""},
		"new field of a pod":             {pod, "command: [c]", "command: [c], workingDir: /a", "pod updates may not change fields"},
		"zero of a pod":                  {pod, "command: [c]", "command: [c], tty: false", ""},
		"class of a ResourceClaim":       {claim, "deviceClassName: b", "deviceClassName: c", "field is immutable"},
		"default of a ResourceClaim":     {claim, "deviceClassName: b", "deviceClassName: b, allocationMode: ExactCount, count: 1", ""},
		"driver of a CSINode":            {node, "nodeID: c", "nodeID: d", "field is immutable"},
		"another driver of a CSINode":    {node, "[{name: a.b, nodeID: c}]", "[{name: c.d, nodeID: d}]", ""},
	} {
		said := strings.Join(change(t, c.stored, strings.Replace(c.stored, c.from, c.to, 1)), "\n")
		if !strings.Contains(said, c.want) || c.want == "" && strings.Contains(said, "error") {
			t.Errorf("%s: it says %q, want %q", name, said, c.want)
		}
	}
}

func TestRemovedEmptyListStays(t *testing.T) {
	fields := map[string]any{"spec": map[string]any{"a": "b"}}
	keepEmpty(fields, map[string]any{"spec": map[string]any{"a": "c", "tags": []any{}, "more": map[string]any{"list": []any{}}, "full": []any{"x"}}})
	spec := mapAt(fields, "spec")
	if len(spec) != 3 || spec["tags"] == nil || spec["more"] == nil || spec["a"] != "b" {
		t.Errorf("it is %v", spec)
	}
}
