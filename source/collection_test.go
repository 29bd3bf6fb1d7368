package source_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/source"
)

func snippets() []string {
	list := "apiVersion: v1\nkind: List\nitems:\n" +
		"- {apiVersion: platform.kratix.io/v1alpha1, kind: Work, metadata: {name: a}, spec: {promiseName: listed}}\n" +
		"- {apiVersion: platform.kratix.io/v1alpha1, kind: Work, metadata: {name: c}, spec: {promiseName: listed}}\n"
	return []string{
		testkit.WorkYAML("a"), testkit.WorkYAML("b"), testkit.WorkYAML("c"), strings.Replace(testkit.WorkYAML("a"), "Name: p", "Name: other", 1),
		testkit.WorkYAML("b") + "extra: 1\n", list, list + "- {replicas: 3}\n",
		platform + "kind: Work\nmetadata: {name: a}\nspec: {workloadGroups: x}\n",
		platform + "kind: Work\nmetadata: {name: d}\n", platform + "kind: Work\nspec: {promiseName: p}\n",
		platform + "kind: Destination\nmetadata: {name: d}\nspec: {stateStoreRef: {kind: GitStateStore, name: g}}\n",
		platform + "kind: Destination\nmetadata: {name: e}\n",
		platform + "kind: GitStateStore\nmetadata: {name: g}\nspec: {url: u}\n",
		platform + "kind: BucketStateStore\nmetadata: {name: b}\nspec: {bucketName: bucket, endpoint: e}\n",
		"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n",
		platform + "kind: WorkPlacement\nmetadata: {name: w}\n", platform + "kind: Promise\nmetadata: {name: p}\n",
		"a: [\n", "# kratix-schedule: ignore KS001\n", "",
	}
}

// input is the content of a Collection by rank and file name.
type input map[int]map[string]source.File

func (in input) collect() source.Snapshot {
	var all []source.File
	for rank := range 3 {
		var names []string
		for name := range in[rank] {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			all = append(all, in[rank][name])
		}
	}
	return source.Collect(all)
}

func origins(s source.Snapshot) []string {
	var lines []string
	for object, place := range s.Origins.All() {
		lines = append(lines, kratix.Describe(object)+" < "+place.String())
		if s.Origins.Of(object) != place {
			lines = append(lines, "which it does not say of the object itself")
		}
	}
	return lines
}

func compare(t *testing.T, want, got source.Snapshot) {
	t.Helper()
	if diff := cmp.Diff(origins(want), origins(got)); diff != "" {
		t.Errorf("the origins: -want +got:\n%s", diff)
	}
	want.Origins, got.Origins = source.Origins{}, source.Origins{}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(source.Origins{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func changeFile(in input, c *source.Collection, which, what, how byte) {
	rank, name := int(which%3), fmt.Sprintf("%c.yaml", 'a'+which/3%4)
	if in[rank] == nil {
		in[rank] = map[string]source.File{}
	}
	all := snippets()
	file := source.File{Name: name}
	switch {
	case how%8 == 0:
		delete(in[rank], name)
		c.Remove(rank, name)
		return
	case how%8 == 1:
		file.Err = errors.New("permission denied")
	case how%8 < 5:
		file.Content = []byte(all[int(what)%len(all)])
	default:
		file.Content = []byte(all[int(what)%len(all)] + "---\n" + all[int(how/8)%len(all)])
	}
	in[rank][name] = file
	c.Set(rank, file)
}

func TestCollectionEqualsCollectOfItsFiles(t *testing.T) {
	for seed := range uint64(15) {
		random := rand.New(rand.NewPCG(seed, 1))
		in, c := input{}, source.NewCollection()
		var given []source.Snapshot
		var wanted []source.Snapshot
		for range 60 {
			for range 1 + random.IntN(3) {
				changeFile(in, c, byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32()))
			}
			given, wanted = append(given, c.Snapshot()), append(wanted, in.collect())
			if t.Failed() {
				t.Fatalf("with seed %d", seed)
			}
		}
		// An earlier snapshot must not have changed.
		for i := range given {
			compare(t, wanted[i], given[i])
			if t.Failed() {
				t.Fatalf("snapshot %d with seed %d", i, seed)
			}
		}
	}
}

func FuzzCollection(f *testing.F) {
	f.Add([]byte{0, 0, 2, 3, 0, 3, 0, 0, 0})
	f.Add([]byte{0, 6, 2, 1, 5, 15, 2, 7, 2, 0, 5, 2})
	f.Fuzz(func(t *testing.T, steps []byte) {
		in, c := input{}, source.NewCollection()
		for ; len(steps) >= 3; steps = steps[3:] {
			changeFile(in, c, steps[0], steps[1], steps[2])
			if steps[0]%2 == 0 {
				compare(t, in.collect(), c.Snapshot())
			}
		}
		compare(t, in.collect(), c.Snapshot())
	})
}

func sameArray[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func sameSlices(a, b source.Snapshot) bool {
	return sameArray(a.Works, b.Works) && sameArray(a.Destinations, b.Destinations) && sameArray(a.GitStateStores, b.GitStateStores) &&
		sameArray(a.BucketStateStores, b.BucketStateStores) && sameArray(a.Secrets, b.Secrets) && sameArray(a.WorkPlacements, b.WorkPlacements) &&
		sameArray(a.Promises, b.Promises) && sameArray(a.Findings, b.Findings) && sameArray(a.Rejected, b.Rejected) && sameArray(a.Marked, b.Marked)
}

func TestUnchangedCollectionReturnsSameSlices(t *testing.T) {
	c := source.NewCollection()
	for i, content := range snippets() {
		c.Set(i, source.File{Name: "a.yaml", Content: []byte(content)})
	}
	c.Set(99, source.File{Name: "b.yaml", Err: errors.New("permission denied")})
	first := c.Snapshot()
	for i, content := range snippets() {
		c.Set(i, source.File{Name: "a.yaml", Content: bytes.Clone([]byte(content))})
	}
	c.Set(99, source.File{Name: "b.yaml", Err: errors.New("permission denied")})
	c.Remove(100, "nowhere.yaml")
	if second := c.Snapshot(); !sameSlices(first, second) {
		t.Error("the slice is a new one")
	}
}

func TestChangedFileKeepsEqualObjects(t *testing.T) {
	c := source.NewCollection()
	set := func(content string) source.Snapshot {
		c.Set(0, source.File{Name: "a.yaml", Content: []byte(content)})
		return c.Snapshot()
	}
	first := set(testkit.WorkYAML("a") + "---\n" + testkit.WorkYAML("b"))
	moved := set("# a comment\n" + testkit.WorkYAML("a") + "---\n" + testkit.WorkYAML("b"))
	if !sameArray(first.Works, moved.Works) {
		t.Error("a comment makes other Works")
	}
	if at := moved.Origins.Of(moved.Works[0]); at.Line != 2 {
		t.Errorf("a is on line 2, and said to be on %s", at)
	}
	changed := set(testkit.WorkYAML("a") + "---\n" + strings.Replace(testkit.WorkYAML("b"), "Name: p", "Name: q", 1))
	if changed.Works[0] != first.Works[0] || changed.Works[1] == first.Works[1] || changed.Works[1].Spec.PromiseName != "q" {
		t.Error("only b has changed")
	}
}

func TestAppendingToSnapshotDoesNotChangeOthers(t *testing.T) {
	c := source.NewCollection()
	c.Set(0, source.File{Name: "a.yaml", Content: []byte(testkit.WorkYAML("a") + "---\n" + testkit.WorkYAML("c") + "extra: 1\n")})
	first, second := c.Snapshot(), c.Snapshot()
	b := &kratix.Work{}
	b.Name, b.Namespace = "b", "default"
	first.Add(b, finding.Place{File: "elsewhere"})
	first.Add(b, finding.Place{File: "elsewhere"})
	first.Findings[0].Message = "changed by who may"
	if len(first.Works) != 3 || first.Works[1] != b || first.Origins.Of(b).File != "elsewhere" || len(first.Findings) != 2 {
		t.Errorf("b is not in %v", first)
	}
	compare(t, source.Collect(files("a.yaml", testkit.WorkYAML("a")+"---\n"+testkit.WorkYAML("c")+"extra: 1\n")), second)
}

func TestLoses(t *testing.T) {
	groups := func(names ...string) string {
		text := platform + "kind: Work\nmetadata: {name: g}\nspec:\n  promiseName: p\n  workloadGroups:\n  - directory: .\n    id: " + kratix.GroupID(".") + "\n    workloads:\n"
		for _, name := range names {
			text += "    - {filepath: " + name + ", content: x}\n"
		}
		return text
	}
	tests := map[string]struct {
		before, other, after string
		want                 bool
	}{
		"the same":                         {testkit.WorkYAML("a"), "", testkit.WorkYAML("a"), false},
		"another object":                   {testkit.WorkYAML("a"), "", testkit.WorkYAML("a") + "---\n" + testkit.WorkYAML("b"), false},
		"emptied":                          {testkit.WorkYAML("a"), "", "", true},
		"an object less":                   {testkit.WorkYAML("a") + "---\n" + testkit.WorkYAML("b"), "", testkit.WorkYAML("a"), true},
		"an object that another file has":  {testkit.WorkYAML("a") + "---\n" + testkit.WorkYAML("b"), testkit.WorkYAML("b"), testkit.WorkYAML("a"), false},
		"a Work that cannot be read":       {testkit.WorkYAML("a"), "", platform + "kind: Work\nmetadata: {name: a}\n", true},
		"something that cannot be read":    {testkit.WorkYAML("a"), "", "a: [\n", true},
		"a Work with a file less":          {groups("one", "two"), "", groups("one"), true},
		"a Work with another file":         {groups("one", "two"), "", groups("one", "three"), false},
		"a file that was not there before": {"", "", testkit.WorkYAML("a"), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := source.NewCollection()
			if test.before != "" {
				c.Set(0, source.File{Name: "a.yaml", Content: []byte(test.before)})
			}
			c.Set(0, source.File{Name: "b.yaml", Content: []byte(test.other)})
			if got := c.Loses(source.Parse(0, source.File{Name: "a.yaml", Content: []byte(test.after)})); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestStringsOfDifferentFilesAreInterned(t *testing.T) {
	const text = platform + "kind: Work\nmetadata: {name: NAME, labels: {kratix.io/work-type: resource, kratix.io/resource-name: NAME}}\n" +
		"spec: {promiseName: p, resourceName: NAME, workloadGroups: [{id: i, destinationSelectors: [{matchLabels: {a: b}}], workloads: [{filepath: f, content: x}]}]}\n"
	c := source.NewCollection()
	set := func(name, content string) {
		c.Set(0, source.File{Name: name, Content: []byte(strings.ReplaceAll(content, "NAME", name))})
	}
	set("a", text)
	set("b", text)
	before := c.Snapshot()
	selectorOf := func(w *kratix.Work) *kratix.Selector { return &w.Spec.WorkloadGroups[0].DestinationSelectors[0] }
	if selectorOf(before.Works[0]) != selectorOf(before.Works[1]) {
		t.Error("equal selectors are two in memory")
	}
	was := before.Works[0].DeepCopy()
	set("a", text+"# the same again\n")
	if after := c.Snapshot(); after.Works[0] != before.Works[0] {
		t.Error("a Work that says the same is another")
	}
	set("b", strings.Replace(text, "content: x", "content: z", 1))
	after := c.Snapshot()
	if after.Works[0] != before.Works[0] || after.Works[1] == before.Works[1] || selectorOf(after.Works[1]) != selectorOf(after.Works[0]) {
		t.Error("b alone has changed, and not in what it asks for")
	}
	if diff := cmp.Diff(was, before.Works[0]); diff != "" {
		t.Errorf("a Work that was given out has changed: -before +after\n%s", diff)
	}
}
