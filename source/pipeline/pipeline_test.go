package pipeline_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source/pipeline"
)

var update = flag.Bool("update", false, "write the golden files again")

const selectors = "metadata/destination-selectors.yaml"

// dirs returns a file system with a request, an output file and the given files.
func dirs(pairs ...string) fstest.MapFS {
	made := fstest.MapFS{
		"input/object.yaml": {Data: []byte("apiVersion: example.com/v1\nkind: redis\nmetadata: {name: one, namespace: team}\n")},
		"output/a.yaml":     {Data: []byte("a")},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		made[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return made
}

func resource() pipeline.Options {
	return pipeline.Options{Promise: "redis", Pipeline: "install", Type: kratix.ResourceWorkType}
}

func golden(t *testing.T, work *kratix.Work) {
	t.Helper()
	got, err := yaml.Marshal(work)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", strings.ReplaceAll(path.Base(t.Name()), "_", "-")+".yaml")
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-%s +got:\n%s", file, diff)
	}
}

func TestReadMakesTheWork(t *testing.T) {
	promise := pipeline.Options{Promise: "redis", Type: kratix.PromiseWorkType, Selector: asks(map[string]string{"env": "dev"})}
	merged := resource()
	merged.Selector = asks(map[string]string{"env": "dev", "pci": "yes"})
	tests := map[string]struct {
		dir     fs.FS
		options pipeline.Options
	}{
		"request":           {dirs("output/b/c.yaml", "c"), resource()},
		"default namespace": {dirs("input/object.yaml", "apiVersion: v1\nkind: redis\nmetadata: {name: one}\n"), resource()},
		"promise":           {dirs("input/object.yaml", "not looked at: ["), promise},
		"default group":     {dirs(selectors, "- matchLabels: {env: prod}\n"), merged},
		"expressions":       {dirs(selectors, "- matchExpressions:\n  - {key: gpu, operator: In, values: [h100, a100]}\n  - {key: spot, operator: DoesNotExist}\n- directory: b\n  matchLabels: {a: b}\n  matchExpressions: [{key: c, operator: Exists}]\n", "output/b/1.yaml", "1"), merged},
		"directory groups":  {dirs(selectors, "- directory: z/\n  matchLabels: {a: z}\n- directory: ./b\n  matchLabels: {a: b}\n- directory: .\n  matchLabels: {a: base}\n", "output/b/1.yaml", "1", "output/b/x/2.yaml", "2", "output/z/3.yaml", "3", "output/bc/4.yaml", "4"), merged},
		"no default files":  {fstest.MapFS{"input/object.yaml": dirs()["input/object.yaml"], "output/b/1.yaml": {Data: []byte("1")}, selectors: {Data: []byte("- {directory: b, matchLabels: {a: b}}\n- matchLabels: {c: d}\n")}}, merged},
		"scheduling":        {dirs("metadata/scheduling.yaml", "- directory: \"\"\n  matchLabels: {env: prod}\n"), resource()},
		"cluster selectors": {dirs("metadata/cluster-selectors.yaml", "env: prod\nzone: \"1\"\n"), resource()},
		"empty selectors":   {dirs(selectors, "# none\n", "metadata/workflow-control.yaml", "suspend: false\n"), resource()},
		"names are bounded": {dirs("input/object.yaml", "apiVersion: v1\nkind: redis\nmetadata: {name: "+strings.Repeat("long-", 14)+"x}\n"), resource()},
		"promise pipeline":  {dirs(selectors, "- matchLabels: {env: prod}\n"), pipeline.Options{Promise: "redis", Pipeline: "setup", Type: kratix.PromiseWorkType}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			work, err := pipeline.Read(test.dir, test.options)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, work)
			if len(work.Name) > 63 {
				t.Errorf("the name %q has %d characters", work.Name, len(work.Name))
			}
			if err := kratix.Check(work); err != nil {
				t.Errorf("the Work cannot be used: %v", err)
			}
			for _, group := range work.Spec.WorkloadGroups {
				for _, workload := range group.Workloads {
					want, err := fs.ReadFile(test.dir, "output/"+workload.Filepath)
					if err != nil {
						t.Fatal(err)
					}
					if got, err := kratix.Decode(workload.Content); err != nil || string(got) != string(want) {
						t.Errorf("%s holds %q, %v", workload.Filepath, got, err)
					}
				}
			}
		})
	}
}

func TestAnnotationsOfTheRequestAreCopied(t *testing.T) {
	options := resource()
	options.Annotations = []string{"by", "ticket"}
	const request = "apiVersion: v1\nkind: redis\nmetadata: {name: one, annotations: {by: alice, other: x}}\n"
	work, err := pipeline.Read(dirs("input/object.yaml", request), options)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"by": "alice", "ticket": ""}, work.Annotations); diff != "" {
		t.Error(diff)
	}
	promise := pipeline.Options{Promise: "redis", Type: kratix.PromiseWorkType, Annotations: options.Annotations}
	for text, in := range map[string]fs.FS{
		"is missing":          fstest.MapFS{"output/a.yaml": {Data: []byte("a")}},
		"input/object.yaml: ": dirs("input/object.yaml", "metadata: {annotations: []}\n"),
	} {
		if _, err := pipeline.Read(in, promise); !errors.Is(err, pipeline.ErrInput) || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %q", err, text)
		}
	}
}

func TestLongNamesDiffer(t *testing.T) {
	options := resource()
	seen := map[string]string{}
	for _, name := range []string{strings.Repeat("x", 80) + "a", strings.Repeat("x", 80) + "b", "x"} {
		work, err := pipeline.Read(dirs("input/object.yaml", "apiVersion: v1\nkind: redis\nmetadata: {name: "+name+"}\n"), options)
		if err != nil {
			t.Fatal(err)
		}
		if other, taken := seen[work.Name]; taken || len(work.Name) > 63 {
			t.Errorf("%s and %s are both %s", name, other, work.Name)
		}
		seen[work.Name] = name
	}
}

func TestReadRejects(t *testing.T) {
	const line = "invalid pipeline directories: metadata/destination-selectors.yaml line "
	tests := map[string]struct {
		dir  fs.FS
		want string
	}{
		"a misspelt directory":       {dirs(selectors, "# c\n- matchLabels: {a: b}\n- dir: b\n  matchLabels: {a: b}\n"), line + `3: the key "dir" is not known; did you mean directory?`},
		"misspelt labels":            {dirs(selectors, "- labels: {a: b}\n"), line + `1: the key "labels" is not known; did you mean matchLabels?`},
		"labels in another case":     {dirs(selectors, "- matchlabels: {a: b}\n"), line + `1: the key "matchlabels" is not known; did you mean matchLabels?`},
		"an unknown key":             {dirs(selectors, "- weight: 1\n"), line + `1: the key "weight" is not known; an entry has matchLabels or matchExpressions and, if need be, directory`},
		"the same directory twice":   {dirs(selectors, "- {directory: b, matchLabels: {a: b}}\n- {directory: ./b/, matchLabels: {a: c}}\n"), line + `2: the directory "b" is defined twice`},
		"the default twice":          {dirs(selectors, "- {matchLabels: {a: b}}\n- {directory: ., matchLabels: {a: c}}\n"), line + `2: the directory "." is defined twice`},
		"a nested directory":         {dirs(selectors, "- {directory: b/c, matchLabels: {a: b}}\n"), line + `1: the directory "b/c" must be one directly in output/`},
		"a directory that leads out": {dirs(selectors, "- {directory: .., matchLabels: {a: b}}\n"), line + `1: the directory ".." must be one directly in output/`},
		"the root of the disk":       {dirs(selectors, "- {directory: /, matchLabels: {a: b}}\n"), line + `1: the directory "/" must be one directly in output/`},
		"no matchLabels":             {dirs(selectors, "- directory: b\n"), line + "1: matchLabels is missing or empty"},
		"empty matchLabels":          {dirs(selectors, "- matchLabels: {}\n"), line + "1: matchLabels is missing or empty"},
		"a misspelt expression":      {dirs(selectors, "- matchExpressions: [{key: a, operater: Exists}]\n"), line + `1: the key "operater" of matchExpressions is not known; an expression has key, operator and values`},
		"misspelt expressions":       {dirs(selectors, "- matchexpressions: [{key: a, operator: Exists}]\n"), line + `1: the key "matchexpressions" is not known; did you mean matchExpressions?`},
		"an unknown operator":        {dirs(selectors, "- matchExpressions: [{key: a, operator: Gt, values: [1]}]\n"), line + `1: matchExpressions: the operator "Gt" of a is not known: use In, NotIn, Exists or DoesNotExist`},
		"In without values":          {dirs(selectors, "- matchExpressions: [{key: a, operator: In}]\n"), line + "1: matchExpressions: a In needs values"},
		"Exists with values":         {dirs(selectors, "- matchExpressions: [{key: a, operator: Exists, values: [b]}]\n"), line + "1: matchExpressions: a Exists takes no values"},
		"an expression without key":  {dirs(selectors, "- matchExpressions: [{operator: Exists}]\n"), line + "1: an entry of matchExpressions has no key"},
		"a directory without files":  {dirs(selectors, "- matchLabels: {a: b}\n- {directory: b, matchLabels: {a: b}}\n"), line + "2: output/b has no file"},
		"a directory that is a file": {dirs(selectors, "- {directory: a.yaml, matchLabels: {a: b}}\n"), line + "1: output/a.yaml has no file"},
		"an entry that is text":      {dirs(selectors, "- b\n"), line + "1: an entry must have matchLabels, and may have a directory"},
		"matchLabels as a list":      {dirs(selectors, "- matchLabels: [a]\n"), line + "1: line 1: cannot unmarshal !!seq into map[string]string"},
		"selectors as a map":         {dirs(selectors, "\nmatchLabels: {a: b}\n"), line + "2: it must be a list of entries with matchLabels"},
		"malformed selectors":        {dirs(selectors, "- a: [\n"), "invalid pipeline directories: metadata/destination-selectors.yaml: line 1: did not find expected node content"},
		"two spellings at once":      {dirs(selectors, "[]", "metadata/scheduling.yaml", "[]"), "invalid pipeline directories: both metadata/destination-selectors.yaml and metadata/scheduling.yaml are there, and only one can count; keep the first"},
		"two older spellings":        {dirs("metadata/cluster-selectors.yaml", "{}", "metadata/scheduling.yaml", "[]"), "invalid pipeline directories: both metadata/scheduling.yaml and metadata/cluster-selectors.yaml are there, and only one can count; keep the first"},
		"cluster selectors, a list":  {dirs("metadata/cluster-selectors.yaml", "[a]"), "invalid pipeline directories: metadata/cluster-selectors.yaml: it must be a map of labels: line 1: cannot unmarshal !!seq into map[string]string"},
		"no request":                 {fstest.MapFS{"output/a.yaml": {}}, "invalid pipeline directories: input/object.yaml is missing: it holds the request, or for a Promise's own pipeline the Promise"},
		"a request without a name":   {dirs("input/object.yaml", "apiVersion: v1\nkind: redis\n"), "invalid pipeline directories: input/object.yaml: metadata.name is missing"},
		"a request that is empty":    {dirs("input/object.yaml", ""), "invalid pipeline directories: input/object.yaml must hold one object, the request"},
		"a malformed request":        {dirs("input/object.yaml", "a: 1\nb: c: d\n"), "invalid pipeline directories: input/object.yaml line 2: malformed YAML: mapping values are not allowed in this context"},
		"a request of odd metadata":  {dirs("input/object.yaml", "apiVersion: v1\nkind: redis\nmetadata: one\n"), "invalid pipeline directories: input/object.yaml line 3: it is not a Kubernetes object: metadata cannot be a string"},
		"no output":                  {fstest.MapFS{"input/object.yaml": dirs()["input/object.yaml"]}, "invalid pipeline directories: the directory output/ is missing"},
		"a malformed control file":   {dirs("metadata/workflow-control.yaml", "suspend: maybe\n"), "invalid pipeline directories: metadata/workflow-control.yaml: line 1: cannot unmarshal !!str `maybe` into bool"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			work, err := pipeline.Read(test.dir, resource())
			if work != nil && err != nil && len(work.Spec.WorkloadGroups) > 0 {
				t.Errorf("groups beside the error: %+v", work)
			}
			if !errors.Is(err, pipeline.ErrInput) || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestSuspendedPipelineHasNoWork(t *testing.T) {
	for control, want := range map[string]string{
		"suspend: true\n":               "the pipeline has suspended its Work: metadata/workflow-control.yaml has suspend: true",
		"message: wait\nretryAfter: 5m": "the pipeline has suspended its Work: metadata/workflow-control.yaml has retryAfter: 5m",
	} {
		_, err := pipeline.Read(dirs("metadata/workflow-control.yaml", control), resource())
		if !errors.Is(err, pipeline.ErrSuspended) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestDanglingLinkInOutputIsReported(t *testing.T) {
	root := t.TempDir()
	for name, file := range dirs() {
		full := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("nowhere", filepath.Join(root, "output", "b.yaml")); err != nil {
		t.Fatal(err)
	}
	_, err := pipeline.Read(os.DirFS(root), resource())
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, pipeline.ErrInput) || !strings.Contains(err.Error(), ": output/b.yaml is a symlink that does not lead to a file") {
		t.Errorf("got %v", err)
	}
}

func TestRealPipelines(t *testing.T) {
	base := filepath.Join("..", "..", "..", "shared", "fixtures", "eck-2.8.0")
	if _, err := os.Stat(base); err != nil {
		base = filepath.Join("..", "..", "testdata", "elastic-cloud", "pipelines")
	}
	for _, request := range []string{"example", "second-request"} {
		t.Run(request, func(t *testing.T) {
			dir := os.DirFS(filepath.Join(base, request))
			work, err := pipeline.Read(dir, pipeline.Options{Promise: "elastic-cloud", Pipeline: "instance-configure", Type: kratix.ResourceWorkType})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := work.Owner(), "request default/"+request+" of Promise elastic-cloud"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if len(work.Spec.WorkloadGroups) != 1 {
				t.Fatalf("got %d groups", len(work.Spec.WorkloadGroups))
			}
			group := work.Spec.WorkloadGroups[0]
			if group.ID != "5058f1af8388633f609cadb75a75dc9d" || group.Directory != "." || len(group.DestinationSelectors) > 0 {
				t.Errorf("got id %s, directory %s, selectors %v", group.ID, group.Directory, group.DestinationSelectors)
			}
			var names []string
			for _, workload := range group.Workloads {
				names = append(names, workload.Filepath)
				got, err := kratix.Decode(workload.Content)
				if err != nil {
					t.Fatal(err)
				}
				want, err := fs.ReadFile(dir, "output/"+workload.Filepath)
				if err != nil {
					t.Fatal(err)
				}
				if string(got) != string(want) {
					t.Errorf("%s is not the file's bytes", workload.Filepath)
				}
			}
			want := []string{"beats.yaml", "elastic-crds.yaml", "elastic-operator.yaml", "elasticsearch.yaml", "kibana.yaml"}
			if diff := cmp.Diff(want, names); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func FuzzSelectors(f *testing.F) {
	for _, seed := range []string{
		"", "[]", "- matchLabels: {a: b}\n", "- {directory: b, matchLabels: {a: b}}\n- {directory: b/, matchLabels: {a: b}}\n",
		"- &a [*a]\n", "- {directory: ../.., matchLabels: {a: ~}}\n", "- ? [a]\n  : b\n", "- <<: {dir: b}\n", "a: b\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, name := range []string{selectors, "metadata/scheduling.yaml", "metadata/cluster-selectors.yaml"} {
			work, err := pipeline.Read(dirs(name, string(content), "output/b/c.yaml", "c"), resource())
			if err != nil {
				if !errors.Is(err, pipeline.ErrInput) {
					t.Errorf("%s: an error that does not wrap ErrInput: %v", name, err)
				}
				continue
			}
			var files int
			seen := map[string]bool{}
			for _, group := range work.Spec.WorkloadGroups {
				files += len(group.Workloads)
				if seen[group.Directory] || group.ID != kratix.GroupID(group.Directory) {
					t.Errorf("%s: the group %s is there twice, or has the id %s", name, group.Directory, group.ID)
				}
				seen[group.Directory] = true
				for _, selector := range group.DestinationSelectors {
					if len(selector.MatchLabels) == 0 || selector.Source != kratix.ResourceWorkflowSource {
						t.Errorf("%s: got the selector %+v", name, selector)
					}
				}
			}
			if files != 2 {
				t.Errorf("%s: %d of 2 files are in a group", name, files)
			}
		}
	})
}

func asks(labels map[string]string) kratix.Selector {
	return kratix.Selector{MatchLabels: labels, Source: kratix.PromiseSource}
}
