package layout_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func checkLimits(t *testing.T, kind, top, mode string, allowed, names []string) []string {
	t.Helper()
	d := testkit.Destination("w", testkit.InMode(mode))
	p := &kratix.WorkPlacement{}
	p.Namespace, p.Name = "ns", "work.w-12345"
	p.Labels = map[string]string{kratix.WorkLabel: "work"}
	p.Spec.PromiseName, p.Spec.ResourceName, p.Spec.ID = "p", "r", "12345"
	for _, name := range names {
		p.Spec.Workloads = append(p.Spec.Workloads, testkit.File(name, "x"))
	}
	rendering, findings := layout.Render(d, p)
	dir, err := tree.ParseDir(top)
	if err != nil {
		t.Fatal(err)
	}
	record, err := layout.RecordPath(d, p)
	if err != nil {
		t.Fatal(err)
	}
	refused, warnings := layout.LimitsOf(kind, dir, allowed).Check(d, p, rendering, record)
	var results []string
	for _, f := range slices.Concat(findings, refused, warnings) {
		file := f.Place.File
		if len(file) > 20 {
			file = "long"
		}
		results = append(results, f.Rule.ID+" "+file)
	}
	return results
}

func pathOfLength(bytes int) string {
	path := strings.Repeat(strings.Repeat("d", 200)+"/", bytes/201)
	return path + strings.Repeat("f", bytes-len(path))
}

func TestLimits(t *testing.T) {
	const git, bucket = kratix.GitStateStoreKind, kratix.BucketStateStoreKind
	const nested, flat, joined = kratix.NestedByMetadata, kratix.None, kratix.AggregatedYAML
	before := len("w/resources/ns/p/r/12345/")
	for name, c := range map[string]struct {
		kind, top, mode string
		allowed, files  []string
		want            []string
	}{
		"a plain file":                    {kind: git, mode: nested, files: []string{"a.yaml"}},
		"the longest path in git":         {kind: git, mode: nested, files: []string{pathOfLength(3840 - before)}},
		"one byte more in git":            {kind: git, mode: nested, files: []string{pathOfLength(3841 - before)}, want: []string{"KS009 long"}},
		"the store's own path counts":     {kind: git, top: "a/b", mode: nested, files: []string{pathOfLength(3840 - before - 3)}, want: []string{"KS009 long"}},
		"the longest key":                 {kind: bucket, top: "a/b", mode: nested, files: []string{pathOfLength(1024 - before - 4)}},
		"one byte more in a bucket":       {kind: bucket, top: "a/b", mode: nested, files: []string{pathOfLength(1024 - before - 3)}, want: []string{"KS009 long"}},
		"the joined file is one path":     {kind: bucket, top: pathOfLength(1024 - len("/w/aggregated.yaml")), mode: joined, files: []string{"a.yaml", "b.yaml"}, want: []string{"KS009 "}},
		"the record counts":               {kind: bucket, top: pathOfLength(1024 - len("/w/a.yaml")), mode: flat, files: []string{"a.yaml"}, want: []string{"KS009 "}},
		"a name that is too long":         {kind: git, mode: nested, files: []string{strings.Repeat("x", 256)}, want: []string{"KS009 long"}},
		"a file and a directory":          {kind: git, mode: nested, files: []string{"a/b.yaml", "a", "a/c/d.yaml"}, want: []string{"KS009 a/b.yaml", "KS009 a/c/d.yaml"}},
		"a name that begins like a file":  {kind: git, mode: flat, files: []string{"a/b.yaml", "a.yaml", "a-b/c"}},
		"parts of one file are no paths":  {kind: git, mode: joined, files: []string{"a", "a/b.yaml", ".gitmodules"}},
		"case":                            {kind: git, mode: nested, files: []string{"A.yaml", "a.yaml"}, want: []string{"KS016 a.yaml"}},
		"records":                         {kind: git, mode: flat, files: []string{".kratix/x.yaml"}, want: []string{"KS008 .kratix/x.yaml"}},
		"records in capitals":             {kind: bucket, mode: flat, files: []string{".KRATIX/x.yaml", ".kratix. "}, want: []string{"KS008 .KRATIX/x.yaml", "KS008 .kratix. "}},
		"records cannot be allowed":       {kind: git, mode: flat, allowed: []string{".k*", "*.yaml"}, files: []string{".kratix-x", "kratix-canary-namespace.yaml"}, want: []string{"KS008 .kratix-x", "KS008 long"}},
		"a directory of that name below":  {kind: git, mode: flat, files: []string{"a/.kratix/x", "a/.sourceignore", "a/.gitkeep"}},
		"records in an own directory":     {kind: git, mode: nested, files: []string{".kratix/x", ".sourceignore", ".gitkeep", "kratix-canary-configmap.yaml"}},
		"the Destination's own files":     {kind: git, mode: flat, files: []string{".gitkeep", "Kratix-Canary-ConfigMap.yaml/x"}, want: []string{"KS008 .gitkeep", "KS008 long"}},
		"a .sourceignore at the top":      {kind: bucket, mode: flat, files: []string{".sourceignore"}, want: []string{"KS008 .sourceignore"}},
		"git's names in an own directory": {kind: git, mode: nested, files: []string{".gitmodules", "a/.gitattributes", "a/.github/x"}, want: []string{"KS008 .gitmodules", "KS008 a/.gitattributes", "KS008 a/.github/x"}},
		"git's names as HFS has them":     {kind: git, mode: nested, files: []string{".git\u200cmodules"}, want: []string{"KS008 .git\u200cmodules"}},
		"git's names as NTFS has them":    {kind: git, mode: nested, files: []string{"GITMOD~1", ".gitmodules:x", "gi7eba~4", "gitmod~x", "gitmod"}, want: []string{"KS008 .gitmodules:x", "KS008 GITMOD~1", "KS008 gi7eba~4"}},
		"git's names in a bucket":         {kind: bucket, mode: nested, files: []string{".gitmodules"}},
		"git's names at the top of one":   {kind: bucket, mode: flat, files: []string{".gitlab-ci.yml", "a/.gitmodules"}, want: []string{"KS008 .gitlab-ci.yml"}},
		"allowed names":                   {kind: git, mode: flat, allowed: []string{".gitign*", ".sourceignore"}, files: []string{".gitignore", ".sourceignore", ".gitmodules"}, want: []string{"KS008 .gitmodules"}},
		"the revision of a bucket":        {kind: bucket, mode: flat, files: []string{"store-revision"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := checkLimits(t, c.kind, c.top, c.mode, c.allowed, c.files); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A Work that writes the ledger could change the number of removals that the deletion guard counts.
func TestWorkCannotWriteLedger(t *testing.T) {
	d := testkit.Destination("w")
	ledger, err := layout.LedgerPath(d)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(ledger.String(), "w/")
	for _, kind := range []string{kratix.GitStateStoreKind, kratix.BucketStateStoreKind} {
		for _, spelled := range []string{name, "./" + name, strings.ToUpper(name), name + "/x", ".kratix/../" + name} {
			results := checkLimits(t, kind, "", kratix.None, []string{"*", ".*", "removals", name}, []string{spelled})
			if len(results) != 1 || !strings.HasPrefix(results[0], "KS008 ") && !strings.HasPrefix(results[0], "KS023 ") {
				t.Errorf("%s, mode none: %q: %q", kind, spelled, results)
			}
		}
		for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML} { // here, the path in the store differs from the path in the Work
			d.Spec.Filepath.Mode = mode
			p := &kratix.WorkPlacement{}
			p.Labels, p.Spec.PromiseName, p.Spec.ID = map[string]string{kratix.WorkLabel: "work"}, "p", "12345"
			p.Spec.Workloads = []kratix.Workload{testkit.File(name, "x")}
			rendering, _ := layout.Render(d, p)
			for _, file := range rendering.Files {
				if file.Path.Within(ledger) {
					t.Errorf("mode %s writes %s", mode, file.Path)
				}
			}
		}
	}
}

func TestBucketRevisionIsReservedForEveryDestinationPath(t *testing.T) {
	for path, want := range map[string]string{
		".kratix/store-revision": "KS008", ".kratix/Store-Revision/x": "KS008", ".kratix/store-revision2": "", ".kratix/x": "",
	} {
		d, p := testkit.Destination("w", testkit.AtPath(".kratix"), testkit.InMode(kratix.None)), &kratix.WorkPlacement{}
		file := layout.File{File: tree.File{Path: testkit.Path(path)}}
		refused, _ := layout.LimitsOf(kratix.BucketStateStoreKind, tree.Path{}, nil).Check(d, p, layout.Rendering{Root: testkit.Path(".kratix"), Files: []layout.File{file}}, testkit.Path("r"))
		if got := rulesOf(refused); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func rulesOf(findings []finding.Finding) string {
	var ids []string
	for _, f := range findings {
		ids = append(ids, f.Rule.ID)
	}
	return strings.Join(ids, " ")
}
