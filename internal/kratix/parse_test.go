package kratix_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type seen struct {
	// Object is the result of Describe, or "-" if the kind is not supported.
	Object  string
	Header  string
	Line    int
	Unknown []kratix.Field
	Err     string
}

func summaries(parsed []kratix.Parsed) []seen {
	var all []seen
	for _, p := range parsed {
		one := seen{Object: "-", Header: p.Header.String(), Line: p.Line, Unknown: p.Unknown}
		if p.Object != nil {
			one.Object = kratix.Describe(p.Object)
		}
		if p.Err != nil {
			one.Err = p.Err.Error()
		}
		all = append(all, one)
	}
	return all
}

const platform = "apiVersion: platform.kratix.io/v1alpha1\n"

func TestParse(t *testing.T) {
	tests := map[string]struct {
		document string
		line     int
		want     []seen
	}{
		"nothing": {document: "", line: 1},
		"only comments are nothing": {
			document: "# a\n\n# b\n", line: 1,
		},
		"every kind that takes part": {
			document: `apiVersion: v1
kind: List
items:
- {apiVersion: platform.kratix.io/v1alpha1, kind: Work, metadata: {name: w, namespace: team}}
- {apiVersion: platform.kratix.io/v1alpha1, kind: WorkPlacement, metadata: {name: p, namespace: team}}
- {apiVersion: platform.kratix.io/v1alpha1, kind: Destination, metadata: {name: d}}
- {apiVersion: platform.kratix.io/v1alpha1, kind: GitStateStore, metadata: {name: g}}
- {apiVersion: platform.kratix.io/v1alpha1, kind: BucketStateStore, metadata: {name: b}}
- {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: team}}
`, line: 1,
			want: []seen{
				{Object: "Work team/w", Header: "Work team/w", Line: 4},
				{Object: "WorkPlacement team/p", Header: "WorkPlacement team/p", Line: 5},
				{Object: "Destination d", Header: "Destination d", Line: 6},
				{Object: "GitStateStore g", Header: "GitStateStore g", Line: 7},
				{Object: "BucketStateStore b", Header: "BucketStateStore b", Line: 8},
				{Object: "Secret team/s", Header: "Secret team/s", Line: 9},
			},
		},
		"a kind of another group or version is not known": {
			document: `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}
- {apiVersion: platform.kratix.io/v1, kind: Work, metadata: {name: w}}
- {apiVersion: platform.kratix.io/v1alpha1, kind: PromiseRelease, metadata: {name: p}}
- {apiVersion: platform.kratix.io/v1alpha1, kind: Secret, metadata: {name: s}}
`, line: 1,
			want: []seen{
				{Object: "-", Header: "ConfigMap c", Line: 4},
				{Object: "-", Header: "Work w", Line: 5},
				{Object: "-", Header: "PromiseRelease p", Line: 6},
				{Object: "-", Header: "Secret s", Line: 7},
			},
		},
		"the object's line is the first that holds something": {
			document: "--- # first\n\n# about it\n  # more\n" + platform + "kind: Work\nmetadata: {name: w}\n", line: 20,
			want: []seen{{Object: "Work w", Header: "Work w", Line: 24}},
		},
		"an unknown field gives its path and line": {
			document: platform + `kind: Work
metadata:
  name: w
spec:
  promiseName: p
  # what newer versions add
  priority: high
  workloadGroups:
  - id: a
  - id: b
    workloads:
    - filepath: x
    - filepath: z
      mode: 0644
extra: 1
`, line: 101,
			want: []seen{{
				Object: "Work w", Header: "Work w", Line: 101,
				Unknown: []kratix.Field{
					{Path: "extra", Line: 116},
					{Path: "spec.priority", Line: 108},
					{Path: "spec.workloadGroups[1].workloads[1].mode", Line: 115},
				},
			}},
		},
		"an unknown field in a list": {
			document: `apiVersion: v1
kind: List
items:
- apiVersion: platform.kratix.io/v1alpha1
  kind: Destination
  metadata: {name: a}
- apiVersion: platform.kratix.io/v1alpha1
  kind: Destination
  metadata:
    name: b
  spec:
    stateStore: x
`, line: 11,
			want: []seen{
				{Object: "Destination a", Header: "Destination a", Line: 14},
				{Object: "Destination b", Header: "Destination b", Line: 17, Unknown: []kratix.Field{{Path: "spec.stateStore", Line: 22}}},
			},
		},
		"an unknown field in JSON": {
			document: "{\n\"apiVersion\": \"platform.kratix.io/v1alpha1\",\n\"kind\": \"Work\",\n\"metadata\": {\"name\": \"w\"},\n\"spec\": {\n\"x\": 1}}\n", line: 1,
			want: []seen{{Object: "Work w", Header: "Work w", Line: 1, Unknown: []kratix.Field{{Path: "spec.x", Line: 6}}}},
		},
		"a field that differs in case is unknown": {
			document: platform + "kind: Work\nmetadata: {name: w}\nspec:\n  PromiseName: p\n", line: 1,
			want: []seen{{Object: "Work w", Header: "Work w", Line: 1, Unknown: []kratix.Field{{Path: "spec.PromiseName", Line: 5}}}},
		},
		"an unknown field that looks like an index out of a list": {
			document: platform + "kind: Work\nmetadata: {name: w}\nspec:\n  workloadGroups: [{id: a}]\n  \"workloadGroups[-1]\": 1\n", line: 1,
			want: []seen{{Object: "Work w", Header: "Work w", Line: 1, Unknown: []kratix.Field{{Path: "spec.workloadGroups[-1]", Line: 4}}}},
		},
		"a list of lists": {
			document: `apiVersion: v1
kind: List
items:
- apiVersion: platform.kratix.io/v1alpha1
  kind: WorkList
  items:
  - apiVersion: platform.kratix.io/v1alpha1
    kind: Work
    metadata: {name: inner}
    spec:
      what: 1
- {apiVersion: platform.kratix.io/v1alpha1, kind: Work, metadata: {name: outer}}
`, line: 1,
			want: []seen{
				{Object: "Work inner", Header: "Work inner", Line: 7, Unknown: []kratix.Field{{Path: "spec.what", Line: 11}}},
				{Object: "Work outer", Header: "Work outer", Line: 12},
			},
		},
		"an empty list": {document: "apiVersion: v1\nkind: List\nitems: []\n", line: 1},
		"a kind that only ends in List": {
			document: "apiVersion: net.example.com/v1\nkind: AllowList\nmetadata: {name: a}\nspec: {}\n", line: 1,
			want: []seen{{Object: "-", Header: "AllowList a", Line: 1}},
		},
		"another kind may have items of any sort": {
			document: "apiVersion: shop.example.com/v1\nkind: Basket\nmetadata: {name: a}\nitems: {apples: 2}\n", line: 1,
			want: []seen{{Object: "-", Header: "Basket a", Line: 1}},
		},
		"a bad item leaves the others": {
			document: `apiVersion: v1
kind: List
items:
- {apiVersion: platform.kratix.io/v1alpha1, kind: Work, metadata: {name: a}}
- {metadata: {name: b}}
- hello
- {apiVersion: platform.kratix.io/v1alpha1, kind: Work, metadata: {name: c}}
`, line: 1,
			want: []seen{
				{Object: "Work a", Header: "Work a", Line: 4},
				{Object: "-", Header: " ", Line: 5, Err: "it is not a Kubernetes object: apiVersion and kind are missing"},
				{Object: "-", Header: " ", Line: 6, Err: "it is not a Kubernetes object: the document cannot be a string"},
				{Object: "Work c", Header: "Work c", Line: 7},
			},
		},
		"a wrong type": {
			document: platform + "kind: Destination\nmetadata: {name: d}\nspec: {strictMatchLabels: maybe}\n", line: 1,
			want: []seen{{Object: "-", Header: "Destination d", Line: 1, Err: "spec.strictMatchLabels cannot be a string"}},
		},
		"a wrong type, an object": {
			document: platform + "kind: Work\nmetadata: {name: w, namespace: team}\nspec: {workloadGroups: {id: a}}\n", line: 1,
			want: []seen{{Object: "-", Header: "Work team/w", Line: 1, Err: "spec.workloadGroups cannot be an object"}},
		},
		"a wrong type, a list": {
			document: platform + "kind: Work\nmetadata: {name: w}\nspec: {promiseName: [p]}\n", line: 1,
			want: []seen{{Object: "-", Header: "Work w", Line: 1, Err: "spec.promiseName cannot be an array"}},
		},
		"a time that is none": {
			document: platform + "kind: Work\nmetadata: {name: w}\nspec: {lastExecutionTimestamp: yesterday}\n", line: 1,
			want: []seen{{Object: "-", Header: "Work w", Line: 1, Err: `"yesterday" is not a time like 2026-01-31T12:00:00Z`}},
		},
		"a secret's value that is not base64 is not repeated": {
			document: "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {password: hunter2!}\n", line: 1,
			want: []seen{{Object: "-", Header: "Secret s", Line: 1, Err: "illegal base64 data at input byte 7"}},
		},
		"CRLF": {
			document: strings.ReplaceAll(platform+"kind: Work\nmetadata:\n  name: w\nspec:\n  x: 1\n", "\n", "\r\n"), line: 1,
			want: []seen{{Object: "Work w", Header: "Work w", Line: 1, Unknown: []kratix.Field{{Path: "spec.x", Line: 6}}}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := kratix.Parse([]byte(test.document), test.line)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, summaries(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := map[string]struct {
		document string
		wantLine int
		want     string
	}{
		"a document that is a list":           {"- a\n", 10, "it is not a Kubernetes object: the document cannot be an array"},
		"a document that is text":             {"# hi\nhello\n", 11, "it is not a Kubernetes object: the document cannot be a string"},
		"a document that is a number":         {"3\n", 10, "it is not a Kubernetes object: the document cannot be a number"},
		"no kind":                             {"\napiVersion: v1\n", 11, "it is not a Kubernetes object: kind is missing"},
		"no apiVersion":                       {"kind: Work\n", 10, "it is not a Kubernetes object: apiVersion is missing"},
		"a kind that is a list":               {platform + "kind: [Work]\n", 11, "it is not a Kubernetes object: kind cannot be an array"},
		"metadata that is text":               {platform + "kind: Work\nmetadata: w\n", 12, "it is not a Kubernetes object: metadata cannot be a string"},
		"a name that is a number":             {platform + "kind: Work\nmetadata: {name: 1}\n", 12, "metadata.name is a number; quote it"},
		"a list whose items are none":         {"apiVersion: v1\nkind: List\nitems: {a: b}\n", 12, "it is not a Kubernetes object: items cannot be an object"},
		"a key that is there twice":           {platform + "kind: Work\nmetadata:\n  name: a\n  name: b\n", 14, `malformed YAML: key "name" already set in map`},
		"a tab":                               {"a:\n\t- b\n", 11, "malformed YAML: found character that cannot start any token"},
		"a colon too many":                    {platform + "kind: Work\nmetadata: a: b\n", 12, "malformed YAML: mapping values are not allowed in this context"},
		"an alias without its anchor":         {"a: *x\n", 10, "malformed YAML: unknown anchor 'x' referenced"},
		"a key that is there twice in a list": {"apiVersion: v1\nkind: List\nitems:\n- kind: Work\n  kind: Work\n", 14, `malformed YAML: key "kind" already set in map`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			parsed, err := kratix.Parse([]byte(test.document), 10)
			var at *kratix.LineError
			if !errors.As(err, &at) {
				t.Fatalf("got %+v and error %v, want a LineError", summaries(parsed), err)
			}
			if at.Line != test.wantLine || at.Error() != test.want {
				t.Errorf("got line %d: %s\nwant line %d: %s", at.Line, at, test.wantLine, test.want)
			}
		})
	}
}

func TestParseKeepsEveryField(t *testing.T) {
	const document = `apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata:
  name: worker-1
  labels: {environment: dev}
spec:
  path: worker-1
  stateStoreRef: {kind: GitStateStore, name: default}
  strictMatchLabels: true
  filepath: {mode: aggregatedYAML, filename: all.yaml}
  cleanup: all
  initWorkloads: {enabled: false}
`
	parsed, err := kratix.Parse([]byte(document), 1)
	if err != nil || len(parsed) != 1 || len(parsed[0].Unknown) > 0 {
		t.Fatalf("got %+v, %v", parsed, err)
	}
	got, ok := parsed[0].Object.(*kratix.Destination)
	if !ok {
		t.Fatalf("got a %T", parsed[0].Object)
	}
	disabled := false
	want := kratix.DestinationSpec{
		Path:              "worker-1",
		StateStoreRef:     &kratix.StateStoreReference{Kind: "GitStateStore", Name: "default"},
		StrictMatchLabels: true,
		Filepath:          kratix.Filepath{Mode: kratix.AggregatedYAML, Filename: "all.yaml"},
		Cleanup:           "all",
		InitWorkloads:     kratix.InitWorkloads{Enabled: &disabled},
	}
	if diff := cmp.Diff(want, got.Spec); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.Labels["environment"] != "dev" {
		t.Errorf("got labels %v", got.Labels)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "---\n", "# c\n", "a: [\n", "\"", "\xff\xfe", "a: &a [*a]\n",
		platform + "kind: Work\nmetadata: {name: w}\nspec: {workloadGroups: [{id: a}], \"workloadGroups[-1]\": 2, a.b: 1}\n",
		platform + "kind: Destination\nmetadata: {name: d}\nspec: {path: [x]}\n",
		"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: Yg==}}\n- 1\n",
		"apiVersion: v1\r\nkind: List\r\nitems:\r\n- apiVersion: v1\r\n  kind: List\r\n  items:\r\n  - x\r\n",
		"b: &b {kind: Work, apiVersion: platform.kratix.io/v1alpha1, x: 1}\n<<: *b\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		const first = 7
		// The YAML libraries also treat CR, NEL, LS and PS as line breaks. They report an error at
		// the end of a document on the line after its last line.
		last := first + 1
		for _, end := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
			last += strings.Count(string(document), end)
		}
		within := func(what string, line int) {
			if line < first || line > last {
				t.Errorf("%s is on line %d, the document on %d to %d", what, line, first, last)
			}
		}
		parsed, err := kratix.Parse(document, first)
		if err != nil {
			var at *kratix.LineError
			if !errors.As(err, &at) {
				t.Fatalf("an error without a line: %v", err)
			}
			within(at.Reason, at.Line)
			if len(parsed) > 0 {
				t.Errorf("objects beside the error %v", err)
			}
		}
		for _, p := range parsed {
			within(p.Header.String(), p.Line)
			for _, field := range p.Unknown {
				within(field.Path, field.Line)
			}
			if p.Err != nil && p.Object != nil {
				t.Errorf("an object beside the error %v", p.Err)
			}
			if p.Object != nil && p.Object.KindName() != p.Header.Kind {
				t.Errorf("kind %q made a %s", p.Header.Kind, p.Object.KindName())
			}
		}
	})
}
