package applycheck

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const pod = `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec:
  volumes: [{name: data, emptyDir: {}}]
  containers:
  - name: web
    image: nginx
    ports: [{containerPort: 80, name: http}]
    volumeMounts: [{name: data, mountPath: /data}]
    resources: {requests: {cpu: 100m}, limits: {cpu: 200m}}
`

func TestValuesThatEveryAPIServerRefuses(t *testing.T) {
	const (
		service  = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\nspec:\n  ports: [{name: http, port: 80, targetPort: http}, {name: https, port: 443, targetPort: 8443}]\n"
		scaler   = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web, namespace: default}\nspec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n  minReplicas: 2\n  maxReplicas: 4\n"
		budget   = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web, namespace: default}\nspec:\n  selector: {matchLabels: {a: b}}\n  minAvailable: 1\n"
		ingress  = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: default}\nspec:\n  rules:\n  - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}\n"
		settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\ndata: {a.b_c-d: x}\n"
		secret   = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: default}\ntype: kubernetes.io/tls\ndata: {tls.crt: YQ==}\nstringData: {tls.key: a}\n"
		cidr     = "apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: a}\nspec: {cidrs: [10.0.0.0/24]}\n"
	)
	for _, test := range []struct{ name, content, old, new, want string }{
		{"container name", pod, "- name: web", "- name: Web", `spec.containers[0].name: Invalid value: "Web": a lowercase RFC 1123 label`},
		{"container port", pod, "containerPort: 80", "containerPort: 80000", "spec.containers[0].ports[0].containerPort: Invalid value: 80000: must be between 1 and 65535, inclusive"},
		{"port name", pod, "name: http", "name: a-very-long-port-name", `spec.containers[0].ports[0].name: Invalid value: "a-very-long-port-name": must be no more than 15 characters`},
		{"mount", pod, "volumeMounts: [{name: data", "volumeMounts: [{name: date", `spec.containers[0].volumeMounts[0].name: Not found: "date"`},
		{"mount, variable", pod, "volumes: [{name: data", "volumes: [{name: '${a}'", ""},
		{"request", pod, "requests: {cpu: 100m}", "requests: {cpu: 1}", `spec.containers[0].resources.requests: Invalid value: "1": must be less than or equal to cpu limit of 200m`},
		{"request in another form", pod, "requests: {cpu: 100m}", "requests: {cpu: 0.2}", ""},
		{"Service port name", service, "name: https", "name: http", `spec.ports[1].name: Duplicate value: "http"`},
		{"Service port name with capitals", service, "name: https", "name: HTTPS", `spec.ports[1].name: Invalid value: "HTTPS"`},
		{"target port", service, "targetPort: 8443", "targetPort: 84430", "spec.ports[1].targetPort: Invalid value: 84430"},
		{"target port by name", service, "targetPort: http}", "targetPort: http!}", `spec.ports[0].targetPort: Invalid value: "http!"`},
		{"fewer replicas than the least", scaler, "maxReplicas: 4", "maxReplicas: 1", "spec.maxReplicas: Invalid value: 1: must be greater than or equal to `minReplicas`"},
		{"both of a budget", budget, "minAvailable: 1", "minAvailable: 1\n  maxUnavailable: 1", "minAvailable and maxUnavailable cannot be both set"},
		{"relative path", ingress, "path: /,", "path: web,", `spec.rules[0].http.paths[0].path: Invalid value: "web": must be an absolute path`},
		{"no path", ingress, "path: /, ", "", `spec.rules[0].http.paths[0].path: Invalid value: "": must be an absolute path`},
		{"no path, any type", ingress, "path: /, pathType: Prefix", "pathType: ImplementationSpecific", ""},
		{"no backend", ingress, "{service: {name: web, port: {number: 80}}}", "{}", "spec.rules[0].http.paths[0].backend: Invalid value: \"\": resource or service backend is required"},
		{"key", settings, "a.b_c-d", "a b", `data[a b]: Invalid value: "a b": a valid config key must consist of`},
		{"certificate without a key", secret, "\nstringData: {tls.key: a}", "", "data[tls.key]: Required value"},
		{"variable in a Secret", secret, "stringData: {tls.key: a}", "stringData: {'${key}': a}", ""},
		{"no addresses", cidr, "[10.0.0.0/24]", "[]", "spec.cidrs: Required value: at least one CIDR required"},
		{"replicas", deployment, "replicas: 1", "replicas: -1", "spec.replicas: Invalid value: -1: must be greater than or equal to 0"},
		{"strategy", deployment, "replicas: 1", "strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}", "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, version := range []string{"1.33", "1.36"} {
				if diff := cmp.Diff([]string{}, checkOne(t, version, test.content)); diff != "" {
					t.Fatal("unchanged:", diff)
				}
				changed := strings.Replace(test.content, test.old, test.new, 1)
				if changed == test.content {
					t.Fatal("nothing is changed")
				}
				got := strings.Join(checkOne(t, version, changed), "\n")
				if test.want == "" && got != "" || !strings.Contains(got, test.want) || strings.Count(got, "\n") > 0 {
					t.Errorf("got %q, want %q", got, test.want)
				}
			}
		})
	}
}

func TestContainersOfAStatefulSetAreNotCheckedBefore134(t *testing.T) {
	content := strings.NewReplacer("kind: Deployment", "kind: StatefulSet", "        image: nginx\n", "        image: nginx\n        imagePullPolicy: Allways\n").Replace(deployment)
	for version, want := range map[string]int{"1.33": 0, "1.34": 1, "1.36": 1} {
		if got := checkOne(t, version, content); len(got) != want {
			t.Errorf("%s: %q", version, got)
		}
	}
}
