package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func shownDiff(t *testing.T, before, after string) string {
	t.Helper()
	file := FileDiff{Path: "x", New: []byte(after)}
	if before != "" {
		file.Old = []byte(before)
	}
	_, body, _ := strings.Cut(written(t, Format{Write: Plain}, Document{Done: Planned, Diffs: []FileDiff{file}}), "@@\n")
	body, _, _ = strings.Cut(body, "planned: ")
	return body
}

func TestPlanMasksSecrets(t *testing.T) {
	const before = `# the password is hunter2
apiVersion: v1
kind: Secret
metadata:
  name: x
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"data":{"a":"hunter2"}}'
data:
  same: aHVudGVyMg==
  changed: aHVudGVyMg== # hunter2
  gone: aHVudGVyMg==
---
# plain
kind: ConfigMap
data: {a: b}
`
	after := strings.NewReplacer("changed: aHVudGVyMg==", "changed: aHVudGVyMw==", "gone:", "new:", `"hunter2"}}`, `"hunter3"}}`, "{a: b}", "{a: c}").Replace(before)
	const want = ` metadata:
   name: x
   annotations:
-    kubectl.kubernetes.io/last-applied-configuration: '*** (before)'
+    kubectl.kubernetes.io/last-applied-configuration: '*** (after)'
 data:
   same: '***'
-  changed: '*** (before)'
-  gone: '***'
+  changed: '*** (after)'
+  new: '***'
 ---
 # plain
 kind: ConfigMap
-data: {a: b}
+data: {a: c}
`
	if diff := cmp.Diff(want, shownDiff(t, before, after)); diff != "" {
		t.Error(diff)
	}
}

var carriers = map[string]string{
	"stringData":            "kind: Secret\nmetadata: {name: x}\nstringData: {a: VALUE}\n",
	"block text":            "kind: Secret\nstringData:\n  a: |\n    first\n    VALUE\n    last\n",
	"a list":                "kind: List\nitems:\n- kind: ConfigMap\n- kind: Secret\n  data:\n    a: VALUE\n",
	"a list of Secrets":     "kind: SecretList\nitems:\n- metadata: {name: a}\n  data: {a: VALUE}\n",
	"JSON":                  `{"apiVersion": "v1", "kind": "Secret", "data": {"a": "VALUE"}}`,
	"JSON in several lines": "{\n  \"kind\": \"Secret\",\n  \"data\": {\n    \"a\": \"VALUE\"\n  }\n}\n",
	"the second document":   "kind: A\n---\nkind: Secret\ndata: {a: VALUE}\n",
	"behind an end marker":  "kind: A\n...\n---\nkind: Secret\ndata: {a: VALUE}\n...\n",
	"inside another object": "kind: Object\nspec:\n  manifest:\n    kind: Secret\n    data: {a: VALUE}\n",
	"an alias":              "base: &b {a: VALUE}\nkind: Secret\ndata: *b\n",
	"an alias of a value":   "x: &v VALUE\nkind: Secret\ndata: {a: *v}\n",
	"a merge":               "kind: Secret\ndata:\n  <<: {a: VALUE}\n  b: c\n",
	"a merged kind":         "<<: {kind: Secret}\ndata: {a: VALUE}\n",
	"a field twice":         "kind: Secret\ndata: {a: x}\ndata: {a: VALUE}\n",
	"a nested value":        "kind: Secret\ndata: {a: {b: [VALUE]}}\n",
	"no map":                "kind: Secret\ndata: VALUE\n",
	"a comment":             "kind: Secret\n# VALUE\ndata: {a: b} # VALUE\n",
	"an annotation":         "kind: Secret\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n      {\"VALUE\"}\n",
	"malformed":             "kind: Secret\ndata: {a: VALUE\n",
	"a template":            "apiVersion: v1\nkind: Secret\ndata: {{ .VALUE }}\n",
	"malformed JSON":        `{"kind" : "Secret", "data": {"a": "VALUE"`,
	"a generator":           "secretGenerator:\n- name: x\n  literals:\n  - a=VALUE\n  - b=c\n",
	"a generator in flow":   "kind: Kustomization\nsecretGenerator: [{name: x, literals: ['a=VALUE']}]\n",
	"a malformed generator": "secretGenerator:\n- literals: [VALUE\n",
	"an inline patch":       "kind: Kustomization\npatches:\n- patch: |\n    kind: Secret\n    metadata: {name: x}\n    data: {a: VALUE}\n",
	"a patch of operations": "patches:\n- target: {kind: Secret, name: x}\n  patch: '[{op: replace, path: /data/a, value: VALUE}]'\n",
	"a patch of any kind":   "patches:\n- target: {name: x}\n  patch: '[{op: replace, path: /data/a, value: VALUE}]'\n",
	"a patch of some kinds": "patches:\n- patch: '[{op: add, path: /data/a, value: VALUE}]'\n  target: {kind: Conf.*|Sec.*}\n",
	"operations":            "kind: PatchJson6902Transformer\ntarget: {kind: Secret}\njsonOp: '[{op: add, path: /data/a, value: VALUE}]'\n",
	"a generator's object":  "apiVersion: builtin\nkind: SecretGenerator\nliterals: [a=VALUE]\n",
	"an inline generator":   "generators:\n- |-\n  apiVersion: builtin\n  kind: SecretGenerator\n  literals: [a=VALUE]\n",
	"fields in other cases": "SecretGENERATOR:\n- Literals: [a=VALUE]\n",
	"a kind in lower case":  "kind: secret\ndata: {a: VALUE}\n",
	"an old patch":          "patchesStrategicMerge:\n- |-\n  kind: Secret\n  data: {a: VALUE}\n",
	"large":                 "kind: Secret\ndata: {a: VALUE}\n#" + strings.Repeat("x", maxMasked),
}

func TestSecretValuesAreMasked(t *testing.T) {
	for name, carrier := range carriers {
		t.Run(name, func(t *testing.T) {
			first, second := strings.ReplaceAll(carrier, "VALUE", "hunter2"), strings.ReplaceAll(carrier, "VALUE", "swordfish")
			for _, file := range []FileDiff{
				{Path: "x", New: []byte(first)},
				{Path: "x", Old: []byte(first)},
				{Path: "x", Old: []byte(first), New: []byte(second)},
				{Path: "x", Old: []byte(first), New: []byte("kind: A\n")},
			} {
				for format, got := range outputs(t, Document{Done: Planned, Diffs: []FileDiff{file}}) {
					if strings.Contains(got, "hunter2") || strings.Contains(got, "swordfish") {
						t.Errorf("%s: %s", format, got)
					}
				}
			}
		})
	}
}

func TestUnmaskableFilesShowOnlyTheirSize(t *testing.T) {
	got := written(t, Format{Write: Plain}, Document{Done: Planned, Diffs: []FileDiff{{Path: "x", Old: []byte(carriers["malformed"]), New: []byte("a: b\n")}}})
	if !strings.Contains(got, "Contents not shown: 29 bytes before, 5 bytes after: it mentions a Secret") {
		t.Errorf("got %s", got)
	}
}

func TestOtherObjectsAreShownUnmasked(t *testing.T) {
	for name, content := range map[string]string{
		"a reference":        "kind: ExternalSecret # Secret\nspec:\n    target: {kind: Secret, name: x}\n",
		"a role":             "kind: Role # Secret\nrules: [{resources: [secrets]}]\ndata:   {a: b}\n",
		"a config generator": "configMapGenerator:\n- literals: [Secret=a]\n",
		"a patch":            "patches:\n- target: {kind: Deployment}\n  patch:   '[{op: add}]'\n",
		"a target":           "patch:   x # of a Secret\ntarget: text\n",
		"malformed":          "Secret: {a\n",
		"a template":         "# Secret\na: {{ .Values.b }}\n",
		"a text with a kind": "kind: ConfigMap\ndata:\n  Secret.md:   |\n    text\n",
	} {
		if got, want := shownDiff(t, "", content), "+"+strings.ReplaceAll(strings.TrimSuffix(content, "\n"), "\n", "\n+")+"\n"; got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestMaskedContentsAreNotShown(t *testing.T) {
	for format, got := range outputs(t, Document{Done: Planned, Diffs: []FileDiff{{Path: "x.env", Old: []byte("hunter2\n"), New: []byte("swordfish\n"), Withheld: "because"}}}) {
		if strings.Contains(got, "hunter2") || strings.Contains(got, "swordfish") {
			t.Errorf("%s: %s", format, got)
		}
		if format == "text" && !strings.Contains(got, "\nContents not shown: because\n") {
			t.Errorf("got %s", got)
		}
	}
}
