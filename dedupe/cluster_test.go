package dedupe

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

const clusterThing = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things.example.org\n" +
	"spec:\n  group: example.org\n  scope: Cluster\n  names: {kind: Thing}\n"

func thing(version, namespace string) string {
	return "apiVersion: example.org/" + version + "\nkind: Thing\nmetadata:\n  name: x\n  namespace: " + namespace + "\n"
}

func bringer(name, content string) Claim {
	c := claim(name, nil, nil)
	c.Wanted = files(name, map[string]string{"f.yaml": content})
	return c
}

func TestCheckCluster(t *testing.T) {
	for name, c := range map[string]struct {
		roots [][]Claim
		found []string
	}{
		"two versions are one object":                  {[][]Claim{{bringer("a", thing("v1", "n")), bringer("b", thing("v2", "n"))}}, []string{"KS010 b/f.yaml:1 with a/f.yaml:1"}},
		"two namespaces are two objects":               {[][]Claim{{bringer("a", thing("v1", "n")), bringer("b", thing("v1", "m"))}}, nil},
		"unless the kind is defined cluster-wide":      {[][]Claim{{bringer("a", thing("v1", "n")), bringer("b", thing("v1", "m")), bringer("c", clusterThing)}}, []string{"KS011 b/f.yaml:1 with a/f.yaml:1"}},
		"in another root too":                          {[][]Claim{{bringer("c", clusterThing)}, {bringer("a", thing("v1", "n")), bringer("b", thing("v1", "m"))}}, []string{"KS011 b/f.yaml:1 with a/f.yaml:1"}},
		"by what is held back as well":                 {[][]Claim{{bringer("a", thing("v1", "n")), bringer("b", thing("v1", "m")), bringer("c", testkit.ConfigMaps("x")), bringer("d", testkit.ConfigMaps("x")+"---\n"+clusterThing)}}, []string{"KS011 b/f.yaml:1 with a/f.yaml:1"}},
		"one object in two roots":                      {[][]Claim{{bringer("a", testkit.ConfigMaps("x"))}, {bringer("b", testkit.ConfigMaps("x", "y"))}}, []string{"KS012 b/f.yaml:1 with a/f.yaml:1"}},
		"a conflict in one root is reported elsewhere": {[][]Claim{{bringer("a", testkit.ConfigMaps("x")), bringer("b", testkit.ConfigMaps("x"))}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var verdicts []Verdict
			for i, claims := range c.roots {
				verdicts = append(verdicts, Check(Root{Path: testkit.Path("root" + strings.Repeat("x", i)), Claims: claims}))
			}
			if got := summaries(CheckCluster(verdicts)); !slices.Equal(got, c.found) {
				t.Errorf("found %v, want %v", got, c.found)
			}
		})
	}
}

func TestNestedKustomizationIsPartOfTheClaim(t *testing.T) {
	nested := func(name, kustomization string) Claim {
		c := claim(name, nil, nil)
		c.Wanted = files(name, map[string]string{"k/kustomization.yaml": kustomization, "k/m.yaml": testkit.ConfigMaps("x")})
		return c
	}
	for name, c := range map[string]struct {
		claims []Claim
		found  []string
	}{
		"what it builds to takes part":     {[]Claim{nested("a", "resources: [m.yaml]\nnamePrefix: p-\n"), bringer("b", testkit.ConfigMaps("p-x")), bringer("c", testkit.ConfigMaps("x"))}, []string{"KS001 b/f.yaml:1 with a/k/kustomization.yaml:0"}},
		"one that fails is reported":       {[]Claim{nested("a", "resources: [missing.yaml]\n"), bringer("c", testkit.ConfigMaps("x"))}, []string{"KS004 a/k/kustomization.yaml:0"}},
		"nor one that would call by ssh":   {[]Claim{nested("a", "resources: ['git@example.org:a/b']\n")}, []string{"KS005 a/k/kustomization.yaml:0"}},
		"one that would call is not built": {[]Claim{nested("a", "resources: ['https://example.org/x.yaml']\n")}, []string{"KS005 a/k/kustomization.yaml:0"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := summaries(Check(Root{Path: testkit.Path("root"), Claims: c.claims}).Findings); !slices.Equal(got, c.found) {
				t.Errorf("found %v, want %v", got, c.found)
			}
		})
	}
}

func TestReportPolicyWritesEverythingAndReports(t *testing.T) {
	v := Check(Root{Path: testkit.Path("root"), Policy: Report, Claims: []Claim{bringer("a", testkit.ConfigMaps("x")), bringer("b", testkit.ConfigMaps("x")), bringer("c", "values: 1\n")}})
	if got := summaries(v.Findings); len(v.Quarantined) > 0 || !slices.Equal(got, []string{"KS001 b/f.yaml:1 with a/f.yaml:1", "KS002 c/f.yaml:1"}) {
		t.Errorf("held %v, found %v", v.Quarantined, got)
	}
}

func TestFilesThatFluxDoesNotFetchAreIgnored(t *testing.T) {
	c := bringer("a", testkit.ConfigMaps("x"))
	c.Wanted = append(c.Wanted, files("a", map[string]string{".sops.yaml": "creation_rules: []\n"})...)
	v := Check(Root{Path: testkit.Path("root"), Claims: []Claim{c}})
	if len(v.Findings) != 1 {
		t.Errorf("without Ignored: %v", summaries(v.Findings))
	}
	root := Root{Path: testkit.Path("root"), Claims: []Claim{c}}
	root.Ignored = kustomize.Ignore(nil)
	if v := Check(root); len(v.Findings) != 0 {
		t.Errorf("found %v", summaries(v.Findings))
	}
}

func TestSecretsAreNotShownInDifferences(t *testing.T) {
	secret := func(value string) string {
		return "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: " + value + "\n"
	}
	v := Check(Root{Path: testkit.Path("root"), Policy: Share, Claims: []Claim{bringer("a", secret("hunter2")), bringer("b", secret("swordfish"))}})
	if len(v.Findings) != 1 || !strings.Contains(v.Findings[0].Message, "stringData.password") || bytes.Contains([]byte(v.Findings[0].Message), []byte("hunter2")) || strings.Contains(v.Findings[0].Message, "swordfish") {
		t.Errorf("found %v", v.Findings)
	}
}

func TestKustomizationAboveFilesOfPlacementsIsReported(t *testing.T) {
	hiding := files("stranger", map[string]string{"kustomization.yaml": "resources: []\n"})
	for _, dir := range []string{"root/kustomization.yaml", "root/a/kustomization.yaml"} {
		hiding[0].Path = testkit.Path(dir)
		c := bringer("a", testkit.ConfigMaps("x"))
		c.Wanted[0].Path = testkit.Path("root/a/b/f.yaml")
		v := Check(Root{Path: testkit.Path("root"), Claims: []Claim{c}, Foreign: hiding})
		if got := summaries(v.Findings); !slices.Equal(got, []string{"KS006 stranger/kustomization.yaml:0"}) || !strings.Contains(v.Findings[0].Fix, "/"+dir) {
			t.Errorf("%s: found %v", dir, v.Findings)
		}
	}
	c := bringer("a", testkit.ConfigMaps("x"))
	c.Dir, c.Wanted[0].Path, c.Wanted[0].Content = tree.Path{}, testkit.Path("root/kustomization.yaml"), []byte("resources: []\n")
	if v := Check(Root{Path: testkit.Path("root"), Claims: []Claim{c}}); len(v.Quarantined) != 1 || v.Findings[0].Rule.ID != "KS006" {
		t.Errorf("a placement's own: held %v, found %v", v.Quarantined, summaries(v.Findings))
	}
}
