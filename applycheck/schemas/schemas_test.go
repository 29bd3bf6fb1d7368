package schemas

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/spec3"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/yaml"
)

func readFixture(t *testing.T) *spec3.OpenAPI {
	t.Helper()
	text, err := os.ReadFile("testdata/openapi-1.36.3.json")
	if err != nil {
		t.Fatal(err)
	}
	document := &spec3.OpenAPI{}
	if err := json.Unmarshal(text, document); err != nil {
		t.Fatal(err)
	}
	return document
}

func load(t testing.TB, minor string) *Minor {
	t.Helper()
	m, err := Load(minor)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var objects = []string{`
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {a: b}, creationTimestamp: null}
data: {a: b}`, `
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {a: 1}`, `
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
dat: {}`, `
apiVersion: v1
kind: Service
metadata: {name: a, annotations: {a: true}}
spec: {ports: [{port: 80}, {port: 80}, {port: 81, targetPort: a}]}`, `
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {ports: [{port: 80, protokol: TCP}]}`, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
status: {}
spec:
  replicas: three
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      volumes: [{name: a, emptyDir: {}}, {name: a, configMap: {name: b}}]
      containers:
      - {name: c, image: true, ports: [{containerPort: 80}, {containerPort: 80}], resources: {limits: {cpu: 1}}}
      - {image: x}`, `
apiVersion: apps/v1
kind: Deployment
spec: [a]`,
}

func TestTypedCheckHasTheMessagesOfTheOriginalSchemas(t *testing.T) {
	original, err := managedfields.NewTypeConverter(readFixture(t).Components.Schemas, false)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, text := range objects {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
			t.Fatal(err)
		}
		_, want := original.ObjectToTyped(object)
		kind, served := load(t, "1.36").Kind(object.GroupVersionKind())
		if !served {
			t.Fatal("not served:", object.GroupVersionKind())
		}
		_, got := load(t, "1.36").Type(kind.Type).FromUnstructured(object.Object)
		if diff := cmp.Diff(wordsOf(want), wordsOf(got)); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
		if want != nil {
			refused++
		}
	}
	if refused < 4 {
		t.Error("only", refused, "objects are refused")
	}
}

func wordsOf(err error) []string {
	if err == nil {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	slices.Sort(lines)
	return lines
}

func TestTypesAreThoseOfTheOriginalSchemas(t *testing.T) {
	want, err := schemaconv.ToSchemaFromOpenAPI(readFixture(t).Components.Schemas, false)
	if err != nil {
		t.Fatal(err)
	}
	got := load(t, "1.36").parser.Schema.Types
	for _, w := range want.Types {
		i := slices.IndexFunc(got, func(def smd.TypeDef) bool { return def.Name == w.Name })
		if i < 0 {
			t.Error(w.Name, "is missing")
			continue
		}
		if w.Map != nil {
			slices.SortFunc(w.Map.Fields, func(a, b smd.StructField) int { return strings.Compare(a.Name, b.Name) })
		}
		// compared as text, since a Map contains caches
		if diff := cmp.Diff(asYAML(t, w), asYAML(t, got[i])); diff != "" {
			t.Errorf("%s\n%s", w.Name, diff)
		}
	}
}

func asYAML(t *testing.T, def smd.TypeDef) string {
	t.Helper()
	text, err := json.Marshal(def)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEncodedArchiveDoesNotDependOnTheOrderOfSources(t *testing.T) {
	types, err := schemaconv.ToSchemaFromOpenAPI(readFixture(t).Components.Schemas, false)
	if err != nil {
		t.Fatal(err)
	}
	kinds := load(t, "1.36").Kinds()
	source := Source{Version: "1.36.3", Types: types.Types, Kinds: kinds}
	first, err := Encode([]Source{source})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(source.Types)
	slices.Reverse(source.Kinds)
	again, err := Encode([]Source{source})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(first, again) {
		t.Error("the archive depends on the order")
	}
}

func TestMinorsServeTheirKinds(t *testing.T) {
	minors, err := Minors()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1.33", "1.34", "1.35", "1.36"}, minors); diff != "" {
		t.Error(diff)
	}
	claim := schema.GroupVersionKind{Group: "resource.k8s.io", Version: "v1", Kind: "ResourceClaim"}
	_, before := load(t, "1.33").Kind(claim)
	kind, served := load(t, "1.34").Kind(claim)
	if before || !served || !kind.Namespaced {
		t.Error("ResourceClaim v1 is served and namespaced since 1.34", before, served, kind)
	}
	review, _ := load(t, "1.36").Kind(schema.GroupVersionKind{Group: "authentication.k8s.io", Version: "v1", Kind: "TokenReview"})
	if !review.Unpatchable || review.Namespaced {
		t.Error("a TokenReview is cluster-scoped and cannot be applied", review)
	}
	if load(t, "1.35").HasGroup("example.com") || !load(t, "1.35").HasGroup("") {
		t.Error("the groups are wrong")
	}
}

func TestEnumsAreThoseOfTheMinor(t *testing.T) {
	got := load(t, "1.36").Enum("io.k8s.api.core.v1.Container", "imagePullPolicy")
	if diff := cmp.Diff([]string{"Always", "IfNotPresent", "Never"}, got); diff != "" {
		t.Error(diff)
	}
	if got := load(t, "1.36").Enum("io.k8s.api.core.v1.Container", "image"); got != nil {
		t.Error(got)
	}
}

func TestMalformedArchiveIsAnError(t *testing.T) {
	a, err := unpack()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x00\x00\x01\x05"} {
		if _, err := parseArchive(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
	broken := &archive{strings: a.strings, types: []string{"\x01"}}
	if _, err := broken.load("1.36.3", []int{0}, nil); err == nil {
		t.Error("a malformed type: no error")
	}
	if _, err := readArchive([]byte("x")); err == nil {
		t.Error("no archive: no error")
	}
}

func TestArchiveIsSmall(t *testing.T) {
	if len(data) > 1<<20 {
		t.Error(len(data), "bytes")
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		a, err := readArchive(data)
		if err != nil {
			b.Fatal(err)
		}
		m, err := a.minors[len(a.minors)-1].load()
		if err != nil {
			b.Fatal(err)
		}
		m.Type("io.k8s.api.core.v1.Pod").IsValid()
	}
}
