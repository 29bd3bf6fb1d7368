package applycheck

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
)

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 1
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: c
        image: nginx
        ports:
        - containerPort: 80
`

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: shops, singular: shop, kind: Shop, listKind: ShopList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, minimum: 1, maximum: 9}
              color: {type: string, enum: [red, blue], default: red}
              owner: {type: string, x-kubernetes-validations: [{rule: self == oldSelf, message: the owner stays}]}
            x-kubernetes-validations:
            - {rule: "self.color != 'blue' || self.size > 2", message: blue is for large ones}
`

const shop = `
apiVersion: example.com/v1
kind: Shop
metadata: {name: a, namespace: shop}
spec: {size: 2}
`

func TestFaultsOfObjectsByThemselves(t *testing.T) {
	for _, test := range []struct {
		name, content string
		want          []string
	}{
		{"valid Deployment", deployment, nil},
		{"wrong type", strings.Replace(deployment, "replicas: 1", "replicas: three", 1),
			[]string{`KS104 error 7: Deployment shop/web: .spec.replicas: expected numeric (int or float), got string`}},
		{"unknown field is dropped by Flux", strings.Replace(deployment, "image: nginx", "image: nginx\n        readynessProbe: {}", 1),
			[]string{`KS105 warning 17: Deployment shop/web: spec.template.spec.containers[name="c"].readynessProbe: field not declared in schema; Flux applies the object without it`}},
		{"unknown field beside a wrong type", strings.Replace(strings.Replace(deployment, "replicas: 1", "replicas: three", 1), "image: nginx", "image: nginx\n        readynessProbe: {}", 1),
			[]string{
				`KS104 error 7: Deployment shop/web: .spec.replicas: expected numeric (int or float), got string`,
				`KS104 error 17: Deployment shop/web: .spec.template.spec.containers[name="c"].readynessProbe: field not declared in schema`,
			}},
		{"many unknown fields", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a, labls: {}}\nrulez: []\nb.c: 1\nrules: a\n",
			[]string{
				`KS104 error 5: ClusterRole a: .b.c: field not declared in schema`,
				`KS104 error 3: ClusterRole a: .metadata.labls: field not declared in schema`,
				`KS104 error 6: ClusterRole a: .rules: expected list, got &{a}`,
				`KS104 error 4: ClusterRole a: .rulez: field not declared in schema`,
			}},
		{"unknown field of a ClusterRole", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}\nrulez: []\n",
			[]string{`KS104 error 4: ClusterRole a: .rulez: field not declared in schema`}},
		{"enum", strings.Replace(deployment, "image: nginx", "image: nginx\n        imagePullPolicy: Sometimes", 1),
			[]string{`KS104 error 17: Deployment shop/web: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`}},
		{"selector", strings.Replace(deployment, "labels: {app: web}", "labels: {app: shop}", 1),
			[]string{"KS104 error 12: Deployment shop/web: spec.template.metadata.labels: Invalid value: {\"app\":\"shop\"}: `selector` does not match template `labels`"}},
		{"missing image", strings.Replace(deployment, "        image: nginx\n", "", 1),
			[]string{`KS104 error 15: Deployment shop/web: spec.template.spec.containers[0].image: Required value`}},
		{"name and label", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: Bad_Name\n  labels: {a: -}\n",
			[]string{
				`KS106 error 4: ConfigMap Bad_Name: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
				`KS106 error 5: ConfigMap Bad_Name: metadata.labels: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue', or 'my_value', or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
			}},
		{"variables are not judged", strings.NewReplacer("replicas: 1", "replicas: ${n}", "name: web", "name: ${n}").Replace(deployment), nil},
		{"disabled object", strings.NewReplacer("replicas: 1", "replicas: a", "namespace: shop", "annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}").Replace(deployment), nil},
		{"request", "apiVersion: authentication.k8s.io/v1\nkind: TokenReview\nmetadata: {name: a}\n",
			[]string{"KS100 error 1: TokenReview a: objects of this kind cannot be applied: the server does not allow this method on the requested resource"}},
		{"valid custom resource", definition + "---" + shop, nil},
		{"custom resource, unknown field", definition + "---" + strings.Replace(shop, "size: 2", "size: 2, sise: 3", 1),
			[]string{`KS104 error 26: Shop shop/a: .spec.sise: field not declared in schema`}},
		{"custom resource, required and enum", definition + "---" + strings.Replace(shop, "size: 2", "color: green", 1),
			[]string{
				`KS104 error 26: Shop shop/a: spec.color: Unsupported value: "green": supported values: "red", "blue"`,
				`KS104 error 26: Shop shop/a: spec.size: Required value`,
			}},
		{"custom resource, CEL", definition + "---" + strings.Replace(shop, "size: 2", "size: 2, color: blue", 1),
			[]string{`KS104 error 26: Shop shop/a: spec: Invalid value: blue is for large ones`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.want == nil {
				test.want = []string{}
			}
			if diff := cmp.Diff(test.want, checkOne(t, "1.36", test.content)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnknownVersionIsAWarningThatHoldsNothing(t *testing.T) {
	content := strings.Replace(deployment, "replicas: 1", "replicas: three", 1)
	for version, want := range map[string]int{"": 0, "1.20": 0, "v1.99.1": 0, "1.34": 1, "v1.36.9-gke.1": 1} {
		v := CheckClaims(Input{Cluster: clusterOf(t, version, nil), Roots: []dedupe.Root{rootOf(t, "resources", content)}})[0]
		if len(v.Quarantined) != want || len(v.Findings) != 1 || (v.Findings[0].Rule.Severity.String() == "error") != (want == 1) {
			t.Errorf("%s: %v %v", version, v.Quarantined, describe(v))
		}
	}
}

func TestOneClaimIsQuarantinedAndOthersPass(t *testing.T) {
	broken := strings.Replace(deployment, "replicas: 1", "replicas: three", 1)
	v := CheckClaims(Input{Cluster: clusterOf(t, "1.35", nil), Roots: []dedupe.Root{rootOf(t, "resources", deployment, broken, shop)}})[0]
	if diff := cmp.Diff(map[int]Refusal{1: {Reason: "the API server would refuse Deployment shop/web"}}, v.Quarantined); diff != "" {
		t.Error(diff)
	}
}
