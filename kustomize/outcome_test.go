package kustomize_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

const oddPage = "../docs/reference/inputs.md"

func TestOddInputsMatchTheirPage(t *testing.T) {
	inputs, err := txtar.ParseFile("testdata/odd-inputs.txtar")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(oddPage)
	if err != nil {
		t.Fatal(err)
	}
	var cache kustomize.Cache
	for _, input := range inputs.Files {
		if want := "\n| " + input.Name + " | " + outcomeOf(&cache, input.Data); !strings.Contains(string(page), want) {
			t.Errorf("%s does not have %q", oddPage, want)
		}
	}
}

func outcomeOf(cache *kustomize.Cache, content []byte) string {
	read := cache.File(content)
	if read.Err != nil || read.Late != nil {
		return "fails: "
	}
	outcome := "applies it |"
	for _, object := range read.Objects {
		switch after := object.Outcome; {
		case after.Unwritable != "":
			return "fails: `"
		case after.NotApplied != "":
			outcome = "leaves it out: " + after.NotApplied
		case after.Stripped != "":
			outcome = "applies a part: " + after.Stripped
		}
	}
	return outcome
}

func TestPlainObjectsAreAppliedUnchanged(t *testing.T) {
	inputs, err := txtar.ParseFile("testdata/odd-inputs.txtar")
	if err != nil {
		t.Fatal(err)
	}
	plain := 0
	for _, input := range inputs.Files {
		for _, outcome := range kustomize.PlainOutcomes(input.Data) {
			plain++
			if outcome != (kustomize.Outcome{}) {
				t.Errorf("%s is taken for plain: %+v", input.Name, outcome)
			}
		}
	}
	if plain == 0 {
		t.Error("nothing is taken for plain")
	}
}

func TestErrorsDoNotContainSecrets(t *testing.T) {
	const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData:\n"
	for name, c := range map[string]struct{ content, cause string }{
		"an integer key":       {secret + "  8080: hunter2\n", "json: unsupported type"},
		"a wrong tag":          {secret + "  a: !!int hunter2\n", "as a !!int"},
		"a control character":  {secret + "  a: \"hunter2\\x7f\"\n", "control characters are not allowed"},
		"no apiVersion":        {"kind: Secret\nmetadata: {name: login}\nstringData: {a: hunter2}\n", "failed to decode Kubernetes apiVersion"},
		"a field twice":        {secret + "  a: hunter2\n  a: hunter2\n", "already defined"},
		"a value that is long": {secret + "  8080: " + strings.Repeat("hunter2", 10_000) + "\n", "json: unsupported type"},
	} {
		t.Run(name, func(t *testing.T) {
			var cache kustomize.Cache
			read := cache.File([]byte(c.content))
			if read.Err != nil || len(read.Objects) != 1 {
				t.Fatal(read.Err)
			}
			if words := read.Objects[0].Outcome.Unwritable; !strings.Contains(words, c.cause) || strings.Contains(words, "hunter2") {
				t.Errorf("it says %q", words)
			}
		})
	}
}

func TestErrorsAboutLargeObjectsAreBounded(t *testing.T) {
	var cache kustomize.Cache
	read := cache.File([]byte(testkit.ConfigMaps("a") + "data: {1: " + strings.Repeat("x", 1<<20) + "}\n"))
	words := read.Objects[0].Outcome.Unwritable
	if len(words) > 5<<10 || !strings.HasPrefix(words, "kustomize build failed: map[string]interface {}{") || !strings.HasSuffix(words, "json: unsupported type: map[interface {}]interface {}") {
		t.Errorf("it says %.100q and so on, %d bytes", words, len(words))
	}
}

func TestLabelsAreStrippedIfOneIsNotAString(t *testing.T) {
	const stripped = "not all of its labels are strings, and Flux applies it without any"
	for labels, want := range map[string]string{
		"{a: b}": "", "{a: ~}": "", "{b: c, a: ~}": "", "~": "", "{}": "", "{a: ''}": "", "{a: !!str 1}": "",
		"{a: 1}": stripped, "{a: ~, b: 1}": stripped, "{a: true}": stripped, "{a: [b]}": stripped, "{a: {b: c}}": stripped, "text": stripped, "[a]": stripped,
	} {
		var cache kustomize.Cache
		read := cache.File([]byte("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: " + labels + "\n"))
		if read.Err != nil || read.Late != nil || len(read.Objects) != 1 {
			t.Errorf("labels: %s: %+v", labels, read)
			continue
		}
		if got := read.Objects[0].Outcome; got != (kustomize.Outcome{Stripped: want}) {
			t.Errorf("labels: %s: got %+v, want %q", labels, got, want)
		}
	}
}

func TestOutcomesBelongToTheirObjects(t *testing.T) {
	var long string
	for i := range 150 {
		data := "x"
		if i%50 == 7 {
			data = "{1: a}"
		}
		long += fmt.Sprintf("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m%d}\nx: %s\n", i, data)
	}
	twice := testkit.ConfigMaps("a") + "x: {1: a}\n---\n" + testkit.ConfigMaps("a") + "---\n" + testkit.ConfigMaps("b") + "x: {{ y }}\n"
	var cache kustomize.Cache
	cache.Load([][]byte{[]byte(long), []byte(twice), []byte(testkit.ConfigMaps("a")), []byte(testkit.ConfigMaps("a") + "x: .inf\n")})
	for content, want := range map[string]string{long: "7 57 107 ", twice: "0 2 ", testkit.ConfigMaps("a"): "", testkit.ConfigMaps("a") + "x: .inf\n": "0 "} {
		got := ""
		for i, object := range cache.File([]byte(content)).Objects {
			if object.Outcome.Unwritable != "" {
				got += fmt.Sprint(i, " ")
			}
		}
		if got != want {
			t.Errorf("%.60q: unwritable are %q, want %q", content, got, want)
		}
	}
}

func TestBuiltDirectoryHasTheOutcomesOfItsObjects(t *testing.T) {
	for name, c := range map[string]struct {
		kustomization, content string
		want                   kustomize.Outcome
	}{
		"plain":              {"resources: [a.yaml]\n", testkit.ConfigMaps("a"), kustomize.Outcome{}},
		"a numeric name":     {"resources: [a.yaml]\n", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 1}\n", kustomize.Outcome{NotApplied: "its metadata.name is not a string"}},
		"mended by a prefix": {"resources: [a.yaml]\nnamePrefix: a\n", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 1}\n", kustomize.Outcome{}},
		"for local use":      {"resources: [a.yaml]\n", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations: {config.kubernetes.io/local-config: 'true'}\n", kustomize.Outcome{Local: true}},
		"infinity":           {"resources: [a.yaml]\n", testkit.ConfigMaps("a") + "x: .inf\n", kustomize.Outcome{Unwritable: "kustomize build failed: map[string]interface {}{\"apiVersion\":\"v1\", \"kind\":\"ConfigMap\", \"metadata\":map[string]interface {}{\"name\":\"a\"}, \"x\":+Inf}: json: unsupported value: +Inf"}},
		"a key that is a map": {"resources: [a.yaml]\n", testkit.ConfigMaps("a") + "data: {? {a: b} : c}\n", kustomize.Outcome{
			Unwritable: "kustomize build failed: map[string]interface {}(nil): yaml: invalid map key: map[string]interface {}{\"a\":\"b\"}"}},
		"a key that is a list": {"resources: [a.yaml]\n", testkit.ConfigMaps("a") + "data:\n  [a, b]: c\n", kustomize.Outcome{
			Unwritable: "kustomize build failed: map[string]interface {}(nil): yaml: invalid map key: []interface {}{\"a\", \"b\"}"}},
		"a map for an apiVersion": {"resources: [a.yaml]\n", "apiVersion: {a: b}\nkind: ClusterRole\nmetadata: {name: a}\n", kustomize.Outcome{
			Unwritable: "failed to decode Kubernetes apiVersion, kind and name from: {\"apiVersion\":{\"a\":\"b\"},\"kind\":\"ClusterRole\",\"metadata\":{\"name\":\"a\"}}"}},
		"a text for annotations":            {"resources: [a.yaml]\n", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: text}\n", kustomize.Outcome{}},
		"infinity, and no end to the build": {"resources: [a.yaml]\n" + noVariable, testkit.ConfigMaps("a") + "x: .inf\n", kustomize.Outcome{}},
	} {
		t.Run(name, func(t *testing.T) {
			files := testkit.FileList("d/kustomization.yaml", c.kustomization, "d/a.yaml", c.content)
			built, err := kustomize.BuildNested(tree.Path{}, testkit.Path("d"), files)
			if err != nil || len(built.Objects) != 1 {
				t.Fatalf("%v, %v", built, err)
			}
			if got := built.Objects[0].Outcome; got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
