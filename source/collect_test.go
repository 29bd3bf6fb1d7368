package source_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/source"
)

const platform = "apiVersion: platform.kratix.io/v1alpha1\n"

func files(pairs ...string) []source.File {
	var made []source.File
	for i := 0; i+1 < len(pairs); i += 2 {
		made = append(made, source.File{Name: pairs[i], Content: []byte(pairs[i+1])})
	}
	return made
}

type content struct {
	Objects    []string
	Findings   []string
	Rejected   []string
	Incomplete bool
	Empty      []string
	Unseen     bool
}

func contentOf(s source.Snapshot) content {
	var got content
	object := func(o kratix.Object) {
		at := s.Origins.Of(o)
		got.Objects = append(got.Objects, fmt.Sprintf("%s < %s", kratix.Describe(o), at))
	}
	for _, o := range s.Works {
		object(o)
	}
	for _, o := range s.Destinations {
		object(o)
	}
	for _, o := range s.GitStateStores {
		object(o)
	}
	for _, o := range s.BucketStateStores {
		object(o)
	}
	for _, o := range s.Secrets {
		object(o)
	}
	for _, f := range s.Findings {
		text := fmt.Sprintf("%s %s: %s", f.Rule.Name, f.Place, f.Message)
		for _, related := range f.Related {
			text += fmt.Sprintf(" (%s: %s)", related.Message, related.Place)
		}
		got.Findings = append(got.Findings, text)
	}
	for _, key := range s.Rejected {
		got.Rejected = append(got.Rejected, key.String())
	}
	got.Incomplete, got.Empty, got.Unseen = s.Incomplete, s.Empty, s.Unseen
	return got
}

func TestCollect(t *testing.T) {
	tests := map[string]struct {
		files []source.File
		want  content
	}{
		"nothing":                             {nil, content{}},
		"files without objects":               {files("b.yaml", "# b\n---\n"), content{}},
		"an empty file may have been cut off": {files("a.yaml", "", "b.yaml", "# b\n---\n"), content{Incomplete: true, Empty: []string{"a.yaml"}}},
		"a file of white space is empty":      {files("a.yaml", " \n\t\n"), content{Incomplete: true, Empty: []string{"a.yaml"}}},
		"every kind, sorted by namespace and name": {
			files(
				"z.yaml", testkit.WorkYAML("b")+"---\n"+testkit.WorkYAML("a")+"---\n"+strings.Replace(testkit.WorkYAML("c"), "c}", "c, namespace: a-team}", 1),
				"a.yaml", platform+"kind: Destination\nmetadata: {name: d}\nspec: {stateStoreRef: {kind: GitStateStore, name: g}}\n",
				"b.yaml", platform+"kind: GitStateStore\nmetadata: {name: g}\nspec: {url: u}\n---\n"+platform+"kind: BucketStateStore\nmetadata: {name: b}\nspec: {bucketName: bucket, endpoint: e}\n",
				"c.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n",
			),
			content{Objects: []string{
				"Work a-team/c < Work a-team/c, z.yaml:11", "Work default/a < Work default/a, z.yaml:6", "Work default/b < Work default/b, z.yaml:1",
				"Destination d < Destination d, a.yaml:1", "GitStateStore g < GitStateStore g, b.yaml:1",
				"BucketStateStore b < BucketStateStore b, b.yaml:6", "Secret default/s < Secret default/s, c.yaml:1",
			}},
		},
		"a cluster-scoped object has no namespace": {
			files("a.yaml", platform+"kind: GitStateStore\nmetadata: {name: g, namespace: team}\nspec: {url: u}\n---\n"+platform+"kind: GitStateStore\nmetadata: {name: g}\nspec: {url: v}\n"),
			content{
				Objects:  []string{"GitStateStore g < GitStateStore g, a.yaml:1"},
				Findings: []string{"RepeatedObject GitStateStore g, a.yaml:6: GitStateStore g is in the input twice; the first one counts (the first one: GitStateStore g, a.yaml:1)"},
			},
		},
		"a namespace unset is default": {
			files("a.yaml", testkit.WorkYAML("a"), "b.yaml", strings.Replace(testkit.WorkYAML("a"), "a}", "a, namespace: default}", 1)),
			content{
				Objects:  []string{"Work default/a < Work default/a, a.yaml:1"},
				Findings: []string{"RepeatedObject Work default/a, b.yaml:1: Work default/a is in the input twice; the first one counts (the first one: Work default/a, a.yaml:1)"},
			},
		},
		"kinds that take no part": {
			files("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: team}\n---\n"+platform+"kind: WorkPlacement\nmetadata: {name: p, namespace: team}\n"),
			content{Findings: []string{
				"IgnoredObject ConfigMap team/c, a.yaml:1: ConfigMap of v1 is ignored",
				"IgnoredObject WorkPlacement team/p, a.yaml:5: WorkPlacement is ignored",
			}},
		},
		"an unknown field is reported, and the object counts": {
			files("a.yaml", "# first\n"+testkit.WorkYAML("a")+"status: {phase: new}\n"),
			content{
				Objects:  []string{"Work default/a < Work default/a, a.yaml:2"},
				Findings: []string{"UnknownField Work default/a, a.yaml:6: the field status.phase is not known and is ignored"},
			},
		},
		"a Work that cannot be read is rejected by its key": {
			files("a.yaml", testkit.WorkYAML("a")+"---\n"+platform+"kind: Work\nmetadata: {name: b}\nspec: {workloadGroups: x}\n"),
			content{
				Objects:  []string{"Work default/a < Work default/a, a.yaml:1"},
				Findings: []string{"UnreadableInput Work b, a.yaml:9: spec.workloadGroups cannot be a string"},
				Rejected: []string{"default/b"},
			},
		},
		"a Work that lacks something is rejected by its key": {
			files("a.yaml", platform+"kind: Work\nmetadata: {name: b, namespace: team}\n"),
			content{
				Findings: []string{"InvalidObject Work team/b, a.yaml:1: spec.promiseName is missing"},
				Rejected: []string{"team/b"},
			},
		},
		"a Work without a name leaves the snapshot incomplete": {
			files("a.yaml", platform+"kind: Work\nspec: {promiseName: p}\n"),
			content{
				Findings:   []string{"InvalidObject Work default/, a.yaml:1: metadata.name is missing"},
				Incomplete: true,
			},
		},
		"another kind that lacks something is no Work": {
			files("a.yaml", platform+"kind: Destination\nmetadata: {name: d}\n---\n"+platform+"kind: Destination\nspec: {path: x}\n"),
			content{Unseen: true, Findings: []string{
				"InvalidObject Destination , a.yaml:5: metadata.name is missing",
				"InvalidObject Destination d, a.yaml:1: spec.stateStoreRef is missing: name the state store to write to",
			}},
		},
		"a Destination that cannot be read": {
			files("a.yaml", platform+"kind: Destination\nmetadata: {name: d}\nspec: {path: [d]}\n"),
			content{Unseen: true, Findings: []string{"UnreadableInput Destination d, a.yaml:4: spec.path cannot be an array"}},
		},
		"malformed YAML that may be a Destination": {
			files("a.yaml", testkit.WorkYAML("a")+"---\nkind: Destination\nb: c: d\n"),
			content{
				Objects:    []string{"Work default/a < Work default/a, a.yaml:1"},
				Findings:   []string{"UnreadableInput a.yaml:7: malformed YAML: mapping values are not allowed in this context"},
				Incomplete: true, Unseen: true,
			},
		},
		"an item without a kind that may be a Destination": {
			files("a.yaml", "apiVersion: v1\nkind: List\nitems:\n- {knd: Destination}\n"),
			content{
				Findings:   []string{"UnreadableInput a.yaml:4: it is not a Kubernetes object: apiVersion and kind are missing"},
				Incomplete: true, Unseen: true,
			},
		},
		"malformed YAML hides only its own document": {
			files("a.yaml", testkit.WorkYAML("a")+"---\na: 1\nb: c: d\n---\n"+testkit.WorkYAML("c")),
			content{
				Objects:    []string{"Work default/a < Work default/a, a.yaml:1", "Work default/c < Work default/c, a.yaml:9"},
				Findings:   []string{"UnreadableInput a.yaml:7: malformed YAML: mapping values are not allowed in this context"},
				Incomplete: true,
			},
		},
		"a document that is no object": {
			files("a.yaml", "replicas: 3\n"),
			content{
				Findings:   []string{"UnreadableInput a.yaml:1: it is not a Kubernetes object: apiVersion and kind are missing"},
				Incomplete: true,
			},
		},
		"an item that is no object": {
			files("a.yaml", "apiVersion: v1\nkind: List\nitems:\n- replicas: 3\n"+"- {apiVersion: platform.kratix.io/v1alpha1, kind: Work, metadata: {name: a}, spec: {promiseName: p}}\n"),
			content{
				Objects:    []string{"Work default/a < Work default/a, a.yaml:5"},
				Findings:   []string{"UnreadableInput a.yaml:4: it is not a Kubernetes object: apiVersion and kind are missing"},
				Incomplete: true,
			},
		},
		"a file that cannot be read": {
			append(files("b.yaml", testkit.WorkYAML("b")), source.File{Name: "a.yaml", Err: errors.New("permission denied")}),
			content{
				Objects:    []string{"Work default/b < Work default/b, b.yaml:1"},
				Findings:   []string{"UnreadableInput a.yaml: permission denied"},
				Incomplete: true, Unseen: true,
			},
		},
		"documents that start on the marker's line": {
			files("a.yaml", "--- {apiVersion: platform.kratix.io/v1alpha1, kind: Work, metadata: {name: a}, spec: {promiseName: p}}\n--- {apiVersion: platform.kratix.io/v1alpha1, kind: Work, metadata: {name: b}, spec: {promiseName: p}}\n"),
			content{Objects: []string{"Work default/a < Work default/a, a.yaml:1", "Work default/b < Work default/b, a.yaml:2"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, contentOf(source.Collect(test.files))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCollectDoesNotDependOnTheOrderOfFiles(t *testing.T) {
	all := files(
		"a.yaml", testkit.WorkYAML("a")+"---\n"+testkit.WorkYAML("z"), "b.yaml", testkit.WorkYAML("b")+"extra: 1\n", "c.yaml", "a: [\n",
		"d.yaml", platform+"kind: Work\nmetadata: {name: d}\n", "e.yaml", platform+"kind: Work\nmetadata: {name: e}\n",
		"f.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\n",
	)
	want := contentOf(source.Collect(all))
	if len(want.Objects) != 4 || len(want.Findings) != 5 || len(want.Rejected) != 2 {
		t.Fatalf("the files are not what they were: %+v", want)
	}
	for i := range all {
		turned := append(slices.Clone(all[i:]), all[:i]...)
		slices.Reverse(turned)
		if diff := cmp.Diff(want, contentOf(source.Collect(turned))); diff != "" {
			t.Errorf("turned by %d: -want +got:\n%s", i, diff)
		}
	}
}

func TestCollectUsesFirstOfRepeatedObjects(t *testing.T) {
	got := source.Collect(files("a.yaml", strings.Replace(testkit.WorkYAML("a"), "Name: p", "Name: first", 1), "b.yaml", strings.Replace(testkit.WorkYAML("a"), "Name: p", "Name: second", 1)))
	if len(got.Works) != 1 || got.Works[0].Spec.PromiseName != "first" {
		t.Errorf("got %+v", got.Works)
	}
	if len(got.Findings) != 1 || got.Findings[0].Rule != finding.RepeatedObject() {
		t.Errorf("got %+v", got.Findings)
	}
}
