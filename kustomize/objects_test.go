package kustomize_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resource"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func item(name string) string {
	return "- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: " + name + "\n"
}

const listHead = "apiVersion: v1\nkind: List\nitems:\n"

type at struct {
	Object string
	Line   int
}

func TestObjectsReturnsIDsAndLines(t *testing.T) {
	tests := map[string]struct {
		content string
		want    []at
	}{
		"an empty file":       {"", nil},
		"only comments":       {"# nothing\n---\n# here\n", nil},
		"only markers":        {"---\n---\n---\n", nil},
		"one object":          {testkit.ConfigMaps("a"), []at{{"ConfigMap default/a", 1}}},
		"no newline at end":   {strings.TrimSuffix(testkit.ConfigMaps("a"), "\n"), []at{{"ConfigMap default/a", 1}}},
		"a leading marker":    {"---\n" + testkit.ConfigMaps("a"), []at{{"ConfigMap default/a", 2}}},
		"leading comments":    {"# one\n\n# two\n" + testkit.ConfigMaps("a"), []at{{"ConfigMap default/a", 4}}},
		"a comment behind":    {testkit.ConfigMaps("a") + "--- # next\n# about b\n" + testkit.ConfigMaps("b"), []at{{"ConfigMap default/a", 1}, {"ConfigMap default/b", 7}}},
		"several documents":   {"---\n" + testkit.ConfigMaps("a") + "---\n" + testkit.ConfigMaps("b") + "---\n\n---\n" + testkit.ConfigMaps("c"), []at{{"ConfigMap default/a", 2}, {"ConfigMap default/b", 7}, {"ConfigMap default/c", 14}}},
		"CRLF":                {strings.ReplaceAll("---\n"+testkit.ConfigMaps("a")+"---\n# b\n"+testkit.ConfigMaps("b"), "\n", "\r\n"), []at{{"ConfigMap default/a", 2}, {"ConfigMap default/b", 8}}},
		"JSON":                {`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}`, []at{{"ConfigMap default/a", 1}}},
		"a namespace":         {testkit.ConfigMaps("a") + "  namespace: team\n", []at{{"ConfigMap team/a", 1}}},
		"the namespace unset": {testkit.ConfigMaps("a") + "  namespace: \"\"\n", []at{{"ConfigMap default/a", 1}}},
		"cluster scope":       {"apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: ignored}\n", []at{{"Namespace a", 1}}},
		"a custom resource":   {"apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n", []at{{"Thing default/a", 1}}},
		"a marker in a text":  {testkit.ConfigMaps("a") + "data:\n  text: |\n    x\n    ---\n    y\n---\n" + testkit.ConfigMaps("b"), []at{{"ConfigMap default/a", 1}, {"ConfigMap default/b", 11}}},
		"a list alone": {
			"# all\n" + listHead + item("a") + "# b\n" + item("b"),
			[]at{{"ConfigMap default/a", 5}, {"ConfigMap default/b", 10}},
		},
		"a list among documents: its items come last": {
			testkit.ConfigMaps("a") + "---\n" + listHead + item("b") + item("c") + "---\n" + testkit.ConfigMaps("d"),
			[]at{{"ConfigMap default/a", 1}, {"ConfigMap default/d", 18}, {"ConfigMap default/b", 9}, {"ConfigMap default/c", 13}},
		},
		"a list of lists": {
			listHead + "- apiVersion: v1\n  kind: ConfigMapList\n  items:\n  - apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: inner}\n" + item("outer"),
			[]at{{"ConfigMap default/outer", 10}, {"ConfigMap default/inner", 7}},
		},
		"equal items": {
			listHead + item("a") + item("a"),
			[]at{{"ConfigMap default/a", 4}, {"ConfigMap default/a", 8}},
		},
		"equal objects within and without a list": {
			listHead + item("a") + "---\n" + testkit.ConfigMaps("a"),
			[]at{{"ConfigMap default/a", 9}, {"ConfigMap default/a", 4}},
		},
		"equal objects in nested lists": {
			"kind: List\napiVersion: v1\nitems:\n- kind: List\n  apiVersion: v1\n  items:\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n" + item("a"),
			[]at{{"ConfigMap default/a", 8}, {"ConfigMap default/a", 7}},
		},
		"an empty list":               {listHead + "---\n" + testkit.ConfigMaps("a"), []at{{"ConfigMap default/a", 5}}},
		"a kind that ends in List":    {"apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: a}\n", []at{{"AllowList default/a", 1}}},
		"a list whose kind is folded": {testkit.ConfigMaps("a") + "---\napiVersion: v1\nkind: >-\n  List\nitems:\n" + item("b") + "---\n" + testkit.ConfigMaps("c"), []at{{"ConfigMap default/a", 1}, {"ConfigMap default/c", 15}, {"ConfigMap default/b", 10}}},
		"a list in JSON":              {"{\"kind\":\n\"List\", \"apiVersion\": \"v1\", \"items\": [\n{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"a\"}}]}", []at{{"ConfigMap default/a", 3}}},
		"items that are no list":      {"apiVersion: v1\nkind: Basket\nmetadata: {name: List}\nitems: {a: b}\n# kind: List\n", []at{{"Basket default/List", 1}}},
		"a record of a placement": {
			"apiVersion: platform.kratix.io/v1alpha1\nkind: WorkPlacement\nmetadata:\n  name: w\n  namespace: n\n  annotations: {config.kubernetes.io/local-config: \"true\"}\nfiles: [a.yaml]\n",
			[]at{{"WorkPlacement n/w", 1}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			objects, err := kustomize.Objects([]byte(test.content))
			if err != nil {
				t.Fatal(err)
			}
			var got []at
			for _, o := range objects {
				got = append(got, at{o.ID.String(), o.Line})
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			checkAgainstLibrary(t, []byte(test.content))
		})
	}
}

func TestObjectsRejectsInvalidFiles(t *testing.T) {
	tests := map[string]struct {
		content  string
		wantLine int
		want     string
	}{
		"a values file":                      {"replicas: 3\n", 1, "missing Resource metadata"},
		"a values file behind an object":     {testkit.ConfigMaps("a") + "---\nreplicas: 3\n", 6, "missing Resource metadata"},
		"text":                               {"hello\n", 1, "missing Resource metadata"},
		"a sequence":                         {"- a\n", 1, "missing Resource metadata"},
		"generateName without a name":        {"apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: x-\n", 1, "missing metadata.name in object"},
		"malformed YAML":                     {testkit.ConfigMaps("a") + "data: {\n", 5, "MalformedYAMLError"},
		"malformed YAML in document two":     {testkit.ConfigMaps("a") + "---\n" + testkit.ConfigMaps("b") + "data:\n\t- x\n", 11, "MalformedYAMLError"},
		"malformed YAML behind a list":       {listHead + item("a") + "---\n" + testkit.ConfigMaps("b") + "data:\n\t- x\n", 14, "MalformedYAMLError"},
		"a values file behind a list":        {listHead + item("a") + "---\nreplicas: 3\n", 9, "missing Resource metadata"},
		"an item without a name":             {testkit.ConfigMaps("a") + "---\n" + listHead + "- {apiVersion: v1, kind: Pod}\n", 6, "missing metadata.name in object"},
		"a list whose items are none":        {"apiVersion: v1\nkind: PodList\nitems: {}\n", 1, "expected array in PodList/items"},
		"a separator with text behind":       {testkit.ConfigMaps("a") + "--- hello\n" + testkit.ConfigMaps("b"), 1, "invalid document separator: --- hello"},
		"an alias that holds itself":         {testkit.ConfigMaps("a") + "---\n# b\na: &a [*a]\n", 6, "the anchor &a contains itself, which kustomize would follow without end"},
		"aliases that expand beyond measure": {bomb(), 1, "its aliases stand for more than 300000 values"},
		"an object without a kind":           {"apiVersion: v1\nmetadata: {name: a}\n", 1, "missing kind in object"},
		"a document whose metadata is odd":   {"apiVersion: v1\nkind: Pod\nmetadata: [a]\n", 1, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			objects, err := kustomize.Objects([]byte(test.content))
			var where *kustomize.FileError
			if !errors.As(err, &where) {
				t.Fatalf("got %v and error %v, want a FileError", objects, err)
			}
			if where.Line != test.wantLine || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got line %d: %v\nwant line %d: ...%s...", where.Line, err, test.wantLine, test.want)
			}
			if where.Unwrap() == nil || where.Unwrap().Error() != err.Error() {
				t.Errorf("kustomize's own words %q are not what is said: %q", where.Unwrap(), err)
			}
		})
	}
}

func bomb() string {
	text := "a0: &a0 x\n"
	for i := range 12 {
		alias := fmt.Sprintf("*a%d, ", i)
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(alias, 10), ", "))
	}
	return text
}

func parseWhole(content []byte) (ids []kustomize.ID, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("a panic of the library")
		}
	}()
	found, err := provider.NewDefaultDepProvider().GetResourceFactory().SliceFromBytes(content)
	return identities(found), err
}

func identities(found []*resource.Resource) []kustomize.ID {
	var ids []kustomize.ID
	for _, res := range found {
		id := res.CurId()
		ids = append(ids, kustomize.ID{APIVersion: id.ApiVersion(), Kind: id.Kind, Name: id.Name, Namespace: id.EffectiveNamespace()})
	}
	return ids
}

func checkAgainstLibrary(t *testing.T, content []byte) {
	t.Helper()
	objects, err := kustomize.Objects(content)
	if kustomize.Survivable(content) != nil {
		if err == nil {
			t.Fatal("what ends the process is accepted")
		}
		return
	}
	oracle, oracleErr := parseWhole(content)
	if (oracleErr == nil) != (err == nil) {
		t.Fatalf("the library says %v, Objects says %v", oracleErr, err)
	}
	if err != nil {
		var where *kustomize.FileError
		if !errors.As(err, &where) || where.Line < 1 {
			t.Errorf("an error without a line: %#v", err)
		}
		return
	}
	var ids []kustomize.ID
	for _, o := range objects {
		ids = append(ids, o.ID)
		if ends := strings.Count(string(content), "\n") + strings.Count(string(content), "\r") + strings.Count(string(content), "\u0085") +
			strings.Count(string(content), "\u2028") + strings.Count(string(content), "\u2029"); o.Line < 1 || o.Line > ends+1 {
			t.Errorf("%s is on line %d of a file of %d", o.ID, o.Line, ends+1)
		}
	}
	if diff := cmp.Diff(oracle, ids); diff != "" {
		t.Errorf("-library +Objects:\n%s", diff)
	}
}

func FuzzObjects(f *testing.F) {
	for _, seed := range []string{
		"", "---\n", "a: [\n", "\xff", "\"", "? a\n", "a: &a [*a]\n", "a: 1\n--- x\n", "---\n---\n---\n",
		testkit.ConfigMaps("a") + "---\n" + testkit.ConfigMaps("b"),
		strings.ReplaceAll(testkit.ConfigMaps("a")+"---\n"+testkit.ConfigMaps("b"), "\n", "\r\n"),
		testkit.ConfigMaps("a") + "---\n" + listHead + item("b") + "---\n" + testkit.ConfigMaps("c"),
		listHead + item("a") + item("a"),
		"x: &k List\napiVersion: v1\nkind: *k\nmetadata: {name: a}\nitems:\n" + item("b") + "---\n" + testkit.ConfigMaps("c"),
		"apiVersion: v1\nkind: \"\\u004cist\"\nitems:\n" + item("b") + "---\n" + testkit.ConfigMaps("c"),
		"apiVersion: v1\nkind: \"B\\u004cist\"\nitems:\n" + item("b") + "---\n" + testkit.ConfigMaps("c"),
		"apiVersion: v1\nkind:\n  \"B\\u004cist\"\nitems:\n" + item("b") + "---\n" + testkit.ConfigMaps("c"),
		"apiVersion: v1\nkind:\n\n  BList\nitems:\n" + item("b") + "---\n" + testkit.ConfigMaps("c"),
		"apiVersion: v1\nkind: A\n  List\nitems:\n" + item("b") + "---\n" + testkit.ConfigMaps("c"),
		"apiVersion: v1\nkind: \"A: \n  b: List\"\nitems:\n" + item("b") + "---\n" + testkit.ConfigMaps("c"),
		"apiVersion: v1\n\"\\x6bind\": List\nitems:\n" + item("b") + "---\n" + testkit.ConfigMaps("c"),
		"x: &k kind\napiVersion: v1\n*k : List\nitems:\n" + item("b") + "---\n" + testkit.ConfigMaps("c"),
		"apiVersion: v1\n? |-\n  kind\n: List\nitems:\n" + item("b") + "---\n" + testkit.ConfigMaps("c"),
		"apiVersion: v1\nkind: A\nmetadata: {name: 1, namespace: [x]}\n",
		"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nspec:\n-\n",
		"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nspec: {names: [kind], group: {}, scope: [Cluster], scope: 1}\n",
		"apiVersion: v1\nkind: A\nmetadata: {name: a, labels: [x], annotations: [y], name: a}\n",
		"kind: List\nmetadata:\n-\n", "x: &k List\nkind: *k\nmetadata:\n-\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) { checkAgainstLibrary(t, content) })
}

func FuzzDocuments(f *testing.F) {
	f.Add([]byte(testkit.ConfigMaps("a") + "---\n# b\n" + testkit.ConfigMaps("b")))
	f.Add([]byte("---\n" + testkit.ConfigMaps("a") + "--- # x\n" + testkit.ConfigMaps("b") + "---"))
	f.Add([]byte("a\n---\n---\n---\nb"))
	f.Add([]byte("a\r\n--- x\r\nb\r\n---\r\nc"))
	f.Fuzz(func(t *testing.T, content []byte) {
		texts, lines := kustomize.Cut(content)
		all := strings.SplitAfter(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n")
		for i, text := range texts {
			if from := strings.Join(all[lines[i]-1:], ""); !strings.HasPrefix(from, string(text)) {
				t.Errorf("document %d is not at line %d: %q", i, lines[i], text)
			}
		}
		if strings.Contains(string(content), "List") || strings.Contains(string(content), `\`) {
			return // the items of a list come after the objects of all documents
		}
		if kustomize.Survivable(content) != nil {
			return
		}
		oracle, err := parseWhole(content)
		if err != nil {
			return
		}
		var cut []kustomize.ID
		for _, text := range texts {
			found, err := parseWhole(text)
			if err != nil {
				t.Fatalf("the whole file is fine, and document %q is not: %v", text, err)
			}
			cut = append(cut, found...)
		}
		if diff := cmp.Diff(oracle, cut); diff != "" {
			t.Errorf("-whole +cut:\n%s", diff)
		}
	})
}

func TestLoadsYAMLFiles(t *testing.T) {
	for path, want := range map[string]bool{
		"a.yaml": true, "b/a.yml": true, "a.json": false, "a.yaml.txt": false, "yaml": false, "a.YAML": false, ".gitkeep": false, "b.yaml/a": false,
	} {
		p, err := tree.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := kustomize.Loads(p); got != want {
			t.Errorf("Loads(%s) is %t", path, got)
		}
	}
}

func TestIsClusterScopedForKnownKinds(t *testing.T) {
	for content, want := range map[string]bool{
		testkit.ConfigMaps("a"):                                  false,
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n": true,
		"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n":          true,
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a, namespace: team}\n": true,
		"apiVersion: example.com/v1\nkind: ClusterThing\nmetadata: {name: a}\n":                               false,
	} {
		objects, err := kustomize.Objects([]byte(content))
		if err != nil || len(objects) != 1 {
			t.Fatalf("got %v, %v", objects, err)
		}
		if got := objects[0].ID.IsClusterScoped(); got != want {
			t.Errorf("%s is cluster-scoped: %t", objects[0].ID, got)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	var running sync.WaitGroup
	for range 3 {
		running.Go(func() {
			for range 5 {
				if _, err := kustomize.Objects([]byte("apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n")); err != nil {
					t.Error(err)
				}
			}
		})
		running.Go(func() {
			for range 2 {
				if err := kustomize.Build(tree.Path{}, testkit.FileList("a.yaml", testkit.ConfigMaps("a"))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
}
