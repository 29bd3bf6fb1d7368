package layout_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

var update = flag.Bool("update", false, "write the golden files again")

func placement(promise, resource, pipeline string, files ...string) *kratix.WorkPlacement {
	w := testkit.Request("a-work", testkit.WithPipeline(pipeline))
	w.Spec.PromiseName, w.Spec.ResourceName = promise, resource
	for _, file := range files {
		testkit.WithFile(file, file)(w)
	}
	return testkit.Placement(w, "worker-1")
}

func TestFilesInModeNestedByMetadata(t *testing.T) {
	for name, c := range map[string]struct {
		path      string
		placement *kratix.WorkPlacement
		want      string
	}{
		"a request":                             {"worker-1", placement("redis", "cache", "instance", "a.yaml"), "worker-1/resources/default/redis/cache/instance/5058f/a.yaml"},
		"a request without a pipeline":          {"worker-1", placement("redis", "cache", "", "a.yaml"), "worker-1/resources/default/redis/cache/5058f/a.yaml"},
		"a dependency":                          {"worker-1", placement("redis", "", "deps", "a.yaml"), "worker-1/dependencies/redis/deps/5058f/a.yaml"},
		"a static dependency":                   {"worker-1", placement("redis", "", "", "static/redis-dependencies.yaml"), "worker-1/dependencies/redis/5058f/static/redis-dependencies.yaml"},
		"a Destination at the root":             {"/", placement("redis", "", "", "a.yaml"), "dependencies/redis/5058f/a.yaml"},
		"a Destination at the root, as a dot":   {".", placement("redis", "", "", "a.yaml"), "dependencies/redis/5058f/a.yaml"},
		"a Destination in a directory below":    {"./eu/west/", placement("redis", "", "", "a.yaml"), "eu/west/dependencies/redis/5058f/a.yaml"},
		"a Destination without a path":          {"", placement("redis", "", "", "a.yaml"), "worker-1/dependencies/redis/5058f/a.yaml"},
		"a file of a directory keeps the path":  {"worker-1", placement("redis", "", "", "dir/sub/a.yaml"), "worker-1/dependencies/redis/5058f/dir/sub/a.yaml"},
		"a path that needs cleaning is cleaned": {"worker-1", placement("redis", "", "", "./dir//a.yaml"), "worker-1/dependencies/redis/5058f/dir/a.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			rendering, findings := layout.Render(testkit.Destination("worker-1", testkit.AtPath(c.path)), c.placement)
			if len(findings) > 0 || len(rendering.Files) != 1 {
				t.Fatalf("findings %v, files %v", findings, rendering.Files)
			}
			file := rendering.Files[0]
			if file.Path.String() != c.want || string(file.Content) != c.placement.Spec.Workloads[0].Filepath {
				t.Errorf("got %s with %q, want %s", file.Path, file.Content, c.want)
			}
			if !file.Path.Within(rendering.Dir) || !rendering.Dir.Within(rendering.Root) {
				t.Errorf("%s is not in %s, or that not in %s", file.Path, rendering.Dir, rendering.Root)
			}
		})
	}
}

func TestUnrenderableFilesAreFindings(t *testing.T) {
	undecodable := placement("redis", "cache", "", "a.yaml", "b.yaml")
	undecodable.Spec.Workloads[1].Content = "not packed"
	for name, c := range map[string]struct {
		destination *kratix.Destination
		placement   *kratix.WorkPlacement
		rule        finding.Rule
		place       string
		message     string
	}{
		"content that is not packed": {testkit.Destination("d"), undecodable, finding.UndecodableContent(), "Work default/a-work, b.yaml", "not base64"},
		"a file path that leads out": {testkit.Destination("d"), placement("redis", "cache", "", "../../etc/x"), finding.UnsafePath(), "Work default/a-work, ../../etc/x", `".." leads out`},
		"a file path twice":          {testkit.Destination("d"), placement("redis", "cache", "", "a", "./a"), finding.InvalidObject(), "Work default/a-work, ./a", "two workloads"},
		"a Promise's name as a path": {testkit.Destination("d"), placement("..", "cache", "", "a"), finding.UnsafePath(), "Work default/a-work", "spec.promiseName"},
		"a slash in a request's name": {
			testkit.Destination("d"), placement("redis", "a/b", "", "a"), finding.UnsafePath(), "Work default/a-work", "spec.resourceName: unsafe path \"a/b\": it must not hold a slash",
		},
		"a pipeline's name as a path":    {testkit.Destination("d"), placement("redis", "cache", ".git", "a"), finding.UnsafePath(), "Work default/a-work", kratix.PipelineNameLabel},
		"a Destination's path leads out": {testkit.Destination("d", testkit.AtPath("../x")), placement("redis", "cache", "", "a"), finding.UnsafePath(), "Destination d", "spec.path"},
	} {
		t.Run(name, func(t *testing.T) {
			_, findings := layout.Render(c.destination, c.placement)
			if len(findings) != 1 {
				t.Fatalf("%d findings: %v", len(findings), findings)
			}
			f := findings[0]
			if f.Rule != c.rule || f.Place.String() != c.place || !strings.Contains(f.Message, c.message) {
				t.Errorf("%s at %q: %q", f.Rule, f.Place, f.Message)
			}
		})
	}
}

func TestUnknownModeIsReported(t *testing.T) {
	d := testkit.Destination("d")
	d.Spec.Filepath.Mode = "upsideDown"
	if _, err := layout.Roots(d); err == nil || !strings.Contains(err.Error(), `"upsideDown"`) {
		t.Errorf("error %v", err)
	}
	if _, findings := layout.Render(d, placement("redis", "cache", "", "a")); len(findings) != 1 || findings[0].Rule != finding.Unsupported() {
		t.Errorf("findings %v", findings)
	}
}

func TestFilesAreInWalkOrder(t *testing.T) {
	rendering, _ := layout.Render(testkit.Destination("d"), placement("redis", "cache", "", "a0", "a.yaml", "a-b/x", "a/z"))
	var names []string
	for _, file := range rendering.Files {
		names = append(names, file.Workload)
	}
	if want := []string{"a/z", "a-b/x", "a.yaml", "a0"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func TestRecordRoundTrip(t *testing.T) {
	d, p := testkit.Destination("worker-1", testkit.AtPath("eu/worker-1")), placement("redis", "cache", "instance", "b.yaml", "a.yaml")
	p.Spec.Generation = 3
	p.Labels[kratix.MisplacedLabel] = "true"
	rendering, _ := layout.Render(d, p)
	file, err := layout.NewRecord(d, p, rendering)
	if err != nil {
		t.Fatal(err)
	}
	if want := "eu/worker-1/.kratix/36.kratix/default-a-work.worker-1-5058f.362e3e6d3b109ccc.yaml"; file.Path.String() != want {
		t.Errorf("path %s, want %s", file.Path, want)
	}
	golden(t, "record.yaml", file.Content)

	read, err := layout.ParseRecord(file.Content)
	if err != nil {
		t.Fatal(err)
	}
	again, files := read.Placement, read.Files
	if again.Name != p.Name || again.Work() != p.Work() || again.Pipeline() != "instance" || again.Spec.ID != p.Spec.ID {
		t.Errorf("read back: %+v", again)
	}
	var want []tree.Path
	for _, f := range rendering.Files {
		want = append(want, f.Path)
	}
	if !slices.Equal(files, want) {
		t.Errorf("files %v, want %v", files, want)
	}
	if back, _ := layout.Render(d, again); back.Dir != rendering.Dir {
		t.Errorf("a record's directory is %s, its placement's %s", back.Dir, rendering.Dir)
	}
}

// Records in stores were once written by sigs.k8s.io/yaml. Another form would cause commits without
// a reason.
func TestRecordsAreInTheFormOfSigsYAML(t *testing.T) {
	d, p := testkit.Destination("worker-1"), placement("yes", "cache", "1e3", "b: c.yaml", "a.yaml", "ü #.yaml", "1")
	p.Spec.ResourceName = "null"
	p.Labels["l"], p.Labels["10"], p.Labels["9"] = "0x1f", " a\n b\n", "'\"\u2028\x00"
	rendering, _ := layout.Render(d, p)
	rendering.Owner = "~"
	rendering.Shared = []layout.SharedObject{{APIVersion: "v1", Kind: "ConfigMap", Namespace: "on", Name: "true", Owners: []string{"b", "-"}}, {Owners: []string{}}}
	rendering.RolledBack = []layout.RolledBack{{Files: "1_000", Revision: "main@sha1:0", Message: strings.Repeat("long words: ", 40)}, {}}
	file, err := layout.NewRecord(d, p, rendering)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(file.Content)
	if err != nil {
		t.Fatal(err)
	}
	want, err := yaml.JSONToYAML(asJSON)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(file.Content)); diff != "" {
		t.Error(diff)
	}
	read, err := layout.ParseRecord(file.Content)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.Labels, read.Placement.Labels); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(rendering.Shared, read.Shared); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(rendering.RolledBack, read.RolledBack); diff != "" {
		t.Error(diff)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
	}
}

func TestParseRecordRejectsOtherFiles(t *testing.T) {
	for name, content := range map[string]string{
		"nothing":            "",
		"malformed YAML":     "a: b: c",
		"another kind":       "kind: Work\nmetadata: {name: a}",
		"no Destination":     "kind: WorkPlacement\nmetadata: {name: a, labels: {kratix.io/work: a}}",
		"no Work":            "kind: WorkPlacement\nmetadata: {name: a}\nspec: {targetDestinationName: d}",
		"a path that is out": "kind: WorkPlacement\nmetadata: {name: a, labels: {kratix.io/work: a}}\nspec: {targetDestinationName: d}\nfiles: [../x]",
		"a part's length":    "kind: WorkPlacement\nmetadata: {name: a, labels: {kratix.io/work: a}, annotations: {kratix-schedule.io/bytes: '-1'}}\nspec: {targetDestinationName: d}",
	} {
		t.Run(name, func(t *testing.T) {
			if r, err := layout.ParseRecord([]byte(content)); err == nil {
				t.Errorf("taken for %+v", r)
			}
		})
	}
}

func TestKratixStateHasFilesButNoPlacement(t *testing.T) {
	r, err := layout.ParseRecord([]byte("files:\n- worker-1/a.yaml\n- worker-1/b/c.yaml\n"))
	if err != nil || r.Placement != nil || len(r.Files) != 2 || r.Files[1].String() != "worker-1/b/c.yaml" {
		t.Errorf("%+v, %v", r, err)
	}
}

func destinationInMode(mode string) *kratix.Destination {
	return testkit.Destination("worker-1", testkit.AtPath("w"), testkit.InMode(mode))
}

func TestModeNoneKeepsPathsOfWork(t *testing.T) {
	rendering, findings := layout.Render(destinationInMode(kratix.None), placement("redis", "cache", "instance", "b.yaml", "dir/a.yaml"))
	if len(findings) > 0 || !rendering.Dir.IsRoot() || rendering.Root.String() != "w" {
		t.Fatalf("%+v, %v", rendering, findings)
	}
	if rendering.Files[0].Path.String() != "w/b.yaml" || rendering.Files[1].Path.String() != "w/dir/a.yaml" {
		t.Errorf("files %v", rendering.Files)
	}
}

func part(name string, contents ...string) (layout.Part, layout.Record) {
	var files []string
	for i := range contents {
		files = append(files, fmt.Sprint("f", i))
	}
	p := placement("redis", name, "", files...)
	p.Name = name
	for i, content := range contents {
		p.Spec.Workloads[i].Content = kratix.Encode([]byte(content))
	}
	d := destinationInMode(kratix.AggregatedYAML)
	rendering, _ := layout.Render(d, p)
	file, err := layout.NewRecord(d, p, rendering)
	if err != nil {
		panic(err)
	}
	record, err := layout.ParseRecord(file.Content)
	if err != nil {
		panic(err)
	}
	return layout.Part{Placement: p, Files: rendering.Files}, record
}

func TestAggregatedJoinAndSplit(t *testing.T) {
	b, rb := part("b", "b1\n", "b2\n---\nb3")
	a, ra := part("a", "a1")
	none, rnone := part("aa")
	empty, rempty := part("c", "")
	whole := layout.Join([]layout.Part{b, none, empty, a})
	const want = "a1\n---\nb1\n\n---\nb2\n---\nb3\n---\n"
	if len(whole) != 1 || whole[0].Path.String() != "w/aggregated.yaml" || string(whole[0].Content) != want {
		t.Fatalf("%q", whole)
	}
	parts := layout.Split(whole[0].Content, []layout.Record{rempty, rb, rnone, ra})
	got := map[string]string{}
	for p, content := range parts {
		got[p.Name] = string(content)
	}
	if !maps.Equal(got, map[string]string{"a": "a1", "b": "b1\n\n---\nb2\n---\nb3", "c": ""}) {
		t.Errorf("%q", got)
	}
	for name, content := range map[string]string{"longer": want + "x", "shorter": want[:len(want)-6], "no joint": strings.Replace(want, "a1\n---", "a1\n-x-", 1)} {
		if parts := layout.Split([]byte(content), []layout.Record{rempty, rb, rnone, ra}); parts != nil {
			t.Errorf("%s: came apart into %d parts", name, len(parts))
		}
	}
	if layout.Join(nil) != nil || layout.Join([]layout.Part{none}) != nil {
		t.Error("nothing gives a file")
	}
}

func TestAggregatedIsSortedByNameThenNamespace(t *testing.T) {
	inA, _ := part("z", "in a")
	inB, _ := part("y", "in b")
	again, _ := part("y", "in c")
	inA.Placement.Namespace, inB.Placement.Namespace, again.Placement.Namespace = "a", "b", "c"
	const want = "in b\n---\nin c\n---\nin a"
	if whole := layout.Join([]layout.Part{inA, again, inB}); string(whole[0].Content) != want {
		t.Errorf("got %q", whole[0].Content)
	}
}

func TestAggregatedFilename(t *testing.T) {
	d := destinationInMode(kratix.AggregatedYAML)
	d.Spec.Filepath.Filename = "all.yaml"
	if rendering, _ := layout.Render(d, placement("redis", "cache", "", "a")); rendering.Files[0].Path.String() != "w/all.yaml" {
		t.Errorf("%+v", rendering)
	}
	d.Spec.Filepath.Filename = "../all.yaml"
	if _, findings := layout.Render(d, placement("redis", "cache", "", "a")); len(findings) != 1 || !strings.Contains(findings[0].Message, "spec.filepath.filename") {
		t.Errorf("%v", findings)
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte("kind: WorkPlacement\nmetadata: {name: a, labels: {kratix.io/work: a}}\nspec: {targetDestinationName: d}\nfiles: [a/b.yaml]"))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := layout.ParseRecord(content)
		if err == nil && r.Placement != nil && (r.Placement.Name == "" || r.Placement.Spec.TargetDestinationName == "" || r.Bytes < 0) {
			t.Errorf("half a record: %+v", r)
		}
		for _, file := range r.Files {
			if strings.HasPrefix(file.String(), "..") {
				t.Errorf("a path that is out: %s", file)
			}
		}
	})
}

func TestFixturesKeepEveryRoot(t *testing.T) {
	off := false
	without := testkit.Destination("worker-1", testkit.AtPath("w"))
	without.Spec.InitWorkloads.Enabled = &off
	for name, c := range map[string]struct {
		destination *kratix.Destination
		want        []string
	}{
		"canaries by default":          {testkit.Destination("worker-1", testkit.AtPath("w")), []string{"w/dependencies/kratix-canary-namespace.yaml", "w/resources/kratix-canary-configmap.yaml"}},
		"placeholders without them":    {without, []string{"w/dependencies/.gitkeep", "w/resources/.gitkeep"}},
		"canaries in mode none":        {destinationInMode(kratix.None), []string{"w/kratix-canary-namespace.yaml", "w/kratix-canary-configmap.yaml"}},
		"canaries at the store's root": {testkit.Destination("worker-1", testkit.AtPath("/")), []string{"dependencies/kratix-canary-namespace.yaml", "resources/kratix-canary-configmap.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := layout.Fixtures(c.destination)
			if err != nil {
				t.Fatal(err)
			}
			var paths []string
			for _, file := range files {
				paths = append(paths, file.Path.String())
			}
			if !slices.Equal(paths, c.want) {
				t.Errorf("got %v", paths)
			}
			roots, _ := layout.Roots(c.destination)
			for i, root := range roots {
				if !files[i].Path.Within(root) {
					t.Errorf("%s has no fixture", root)
				}
			}
		})
	}
}

func TestCanariesEqualThoseOfKratix(t *testing.T) {
	files, err := layout.Fixtures(testkit.Destination("worker-1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		golden(t, file.Path.Base(), file.Content)
	}
}

func TestRecordsAreDistributedOverDirectories(t *testing.T) {
	d := testkit.Destination("worker-1", testkit.AtPath("w"))
	entries := map[tree.Path]int{}
	seen := map[tree.Path]bool{}
	for i := range 100_000 {
		p := placement("redis", fmt.Sprint("r", i), "")
		p.Name = fmt.Sprintf("redis-r%d-default-instance-0a1b2.worker-1-5058f", i)
		path, err := layout.RecordPath(d, p)
		if err != nil || seen[path] {
			t.Fatalf("%s: %v, again %v", path, err, seen[path])
		}
		seen[path] = true
		if entries[path.Dir()]++; entries[path.Dir()] == 1 {
			entries[path.Dir().Dir()]++
		}
	}
	for dir, n := range entries {
		if n > 1_000 {
			t.Errorf("%s has %d entries", dir, n)
		}
	}
}

func TestLongNameFitsInRecordPath(t *testing.T) {
	d := testkit.Destination("worker-1", testkit.AtPath("w"))
	one, other := placement("redis", "a", ""), placement("redis", "a", "")
	one.Name, other.Name = strings.Repeat("ü", 200)+"1", strings.Repeat("ü", 200)+"2"
	first, err := layout.RecordPath(d, one)
	second, otherErr := layout.RecordPath(d, other)
	if err != nil || otherErr != nil || first == second || len(first.Base()) > 255 {
		t.Errorf("%s and %s, %v, %v", first, second, err, otherErr)
	}
}

func TestKratixStateMayHaveAbsolutePaths(t *testing.T) {
	r, err := layout.ParseRecord([]byte("files:\n- /d7/a.yaml\n"))
	if err != nil || len(r.Files) != 1 || r.Files[0].String() != "d7/a.yaml" {
		t.Errorf("%+v, %v", r, err)
	}
}
