package dedupe

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func claimWithFiles(name string, contents map[string]string) Claim {
	c := claim(name, nil, nil)
	c.Wanted = files(name, contents)
	return c
}

// variable returns a kustomization with a variable, whose name may occur only once in a build.
func variable(object string) map[string]string {
	return map[string]string{
		"k/kustomization.yaml": "resources: [m.yaml]\nvars:\n- {name: V, objref: {kind: ConfigMap, name: " + object + ", apiVersion: v1}}\n",
		"k/m.yaml":             testkit.ConfigMaps(object),
	}
}

func dangling(object string) map[string]string {
	return map[string]string{
		"k/kustomization.yaml": "resources: [m.yaml]\nvars:\n- {name: V, objref: {kind: ConfigMap, name: nowhere, apiVersion: v1}}\n",
		"k/m.yaml":             testkit.ConfigMaps(object),
	}
}

// scoped returns a kustomization whose schema declares Widgets as cluster-scoped.
func scoped() map[string]string {
	return map[string]string{
		"k/kustomization.yaml": "resources: [m.yaml]\nopenapi: {path: schema.json}\n",
		"k/m.yaml":             testkit.ConfigMaps("in-k"),
		"k/schema.json": `{"definitions": {}, "paths": {"/apis/example.org/v1/widgets/{name}": {"get": ` +
			`{"x-kubernetes-group-version-kind": {"group": "example.org", "kind": "Widget", "version": "v1"}}}}}`,
	}
}

func widget(namespace string) string {
	return "apiVersion: example.org/v1\nkind: Widget\nmetadata:\n  name: w\n  namespace: " + namespace + "\n"
}

func TestDirectoriesWithAKustomization(t *testing.T) {
	const generates = "configMapGenerator:\n- name: g\n  options: {disableNameSuffixHash: true}\n  files: [../../"
	for name, c := range map[string]struct {
		claims  []Claim
		foreign []File
		held    []int
		found   []string
		quoted  string
	}{
		"one may load what lies beside it": {
			claims: []Claim{claimWithFiles("a", map[string]string{"k/kustomization.yaml": generates + "a/note.txt]\n", "note.txt": "hello"})},
		},
		"one may load what others bring": {
			claims: []Claim{claimWithFiles("a", map[string]string{"k/kustomization.yaml": generates + "b/note.txt]\n"}), claimWithFiles("b", map[string]string{"note.txt": "hello"})},
		},
		"one that loads what is not there is held": {
			claims: []Claim{claimWithFiles("a", map[string]string{"k/kustomization.yaml": generates + "b/note.txt]\n"}), claim("b", []string{"x"}, nil)},
			held:   []int{0}, found: []string{"KS004 a/k/kustomization.yaml:0"}, quoted: "/root/b/note.txt",
		},
		"one that loads what is held back is held too": {
			claims:  []Claim{claimWithFiles("a", map[string]string{"k/kustomization.yaml": generates + "b/note.txt]\n"}), claimWithFiles("b", map[string]string{"note.txt": "hello", "m.yaml": testkit.ConfigMaps("x")})},
			foreign: files("stranger", map[string]string{"s.yaml": testkit.ConfigMaps("x")}),
			held:    []int{0, 1}, found: []string{"KS001 b/m.yaml:1 with stranger/s.yaml:1", "KS004 a/k/kustomization.yaml:0"}, quoted: "registered id",
		},
		"of two that fail together the later is held": {
			claims: []Claim{claimWithFiles("a", variable("x")), claimWithFiles("b", variable("w")), claim("c", []string{"z"}, nil)},
			held:   []int{1}, found: []string{"KS004 b/k/kustomization.yaml:0"}, quoted: "var 'V' already encountered",
		},
		"a variable of a claim that is held back for more is quoted": {
			claims: []Claim{claimWithFiles("a", map[string]string{
				"k/kustomization.yaml": "resources: [m.yaml]\nvars:\n- {name: V, objref: {kind: ConfigMap, name: nowhere, apiVersion: v1}}\n", "k/m.yaml": testkit.ConfigMaps("x"),
				"bad.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\ndata: {a: !!bool maybe}\n",
			})},
			held: []int{0}, found: []string{"KS004 a/k/kustomization.yaml:0", "KS018 a/bad.yaml:1"}, quoted: "cannot be mapped to a field",
		},
		"one that another stops names that one": {
			claims: []Claim{claimWithFiles("a", dangling("a1")), claimWithFiles("b", dangling("b1"))},
			held:   []int{0, 1}, found: []string{"KS004 a/k/kustomization.yaml:0 with b/k/kustomization.yaml:0", "KS004 b/k/kustomization.yaml:0"}, quoted: "var 'V' already encountered",
		},
		"one of a stranger that fails is reported and holds nobody": {
			claims:  []Claim{claim("a", []string{"x"}, nil)},
			foreign: files("stranger", map[string]string{"kustomization.yaml": "resources: [missing.yaml]\n"}),
			found:   []string{"KS004 stranger/kustomization.yaml:0"}, quoted: "missing.yaml",
		},
		"one that would call does not concern others": {
			claims: []Claim{claimWithFiles("a", map[string]string{"k/kustomization.yaml": "resources: ['https://example.org/x.yaml']\n"}), claimWithFiles("b", map[string]string{"k/kustomization.yaml": "resources: [m.yaml]\n", "k/m.yaml": testkit.ConfigMaps("x")})},
			held:   []int{0}, found: []string{"KS005 a/k/kustomization.yaml:0"},
		},
		"one that hides what others bring is held": {
			claims: []Claim{flat("a", "k/kustomization.yaml", "ignored", nil), flat("b", "k/b.yaml", "b", nil)},
			held:   []int{0}, found: []string{"KS006 a/k/kustomization.yaml:0"},
		},
		"a conflict with what one builds to": {
			claims: []Claim{claimWithFiles("a", map[string]string{"k/kustomization.yaml": "resources: [m.yaml]\nnamePrefix: p-\n", "k/m.yaml": testkit.ConfigMaps("x")}), claim("b", []string{"p-x"}, nil)},
			held:   []int{1}, found: []string{"KS001 b/maps.yaml:1 with a/k/kustomization.yaml:0"}, quoted: "merging resources from './b/maps.yaml'",
		},
		"a conflict of others about what one says of their kind": {
			claims: []Claim{
				claimWithFiles("a", scoped()), claimWithFiles("b", map[string]string{"w.yaml": widget("one")}),
				claimWithFiles("c", map[string]string{"m.yaml": testkit.ConfigMaps("x"), "w.yaml": widget("two")}), claim("d", []string{"y"}, nil),
			},
			held: []int{2}, found: []string{"KS002 c/w.yaml:0"}, quoted: "merging resources from './c/w.yaml'",
		},
		"one that says of a kind what others conflict about": {
			claims:  []Claim{claimWithFiles("a", scoped()), claim("b", []string{"y"}, nil)},
			foreign: slices.Concat(files("s", map[string]string{"w.yaml": widget("one")}), files("t", map[string]string{"w.yaml": widget("two")})),
			held:    []int{0}, found: []string{"KS004 a/k/kustomization.yaml:0"}, quoted: "merging resources from './t/w.yaml'",
		},
		"a conflict with one that fails only at the end": {
			claims: []Claim{claimWithFiles("a", map[string]string{"k/kustomization.yaml": variable("w")["k/kustomization.yaml"], "k/m.yaml": testkit.ConfigMaps("x")}), claim("b", []string{"x"}, nil)},
			held:   []int{0}, found: []string{"KS001 a/k/kustomization.yaml:0 with b/maps.yaml:1", "KS004 a/k/kustomization.yaml:0"}, quoted: "merging resources from './b/maps.yaml'",
		},
		"a conflict in one that fails only at the end, before one that fails at once": {
			claims: []Claim{
				claimWithFiles("b", map[string]string{"k/kustomization.yaml": variable("w")["k/kustomization.yaml"], "k/m.yaml": testkit.ConfigMaps("x")}),
				claimWithFiles("c", map[string]string{"k/kustomization.yaml": "resources: [missing.yaml]\n"}),
			},
			foreign: files("a", map[string]string{"s.yaml": testkit.ConfigMaps("x")}),
			held:    []int{0, 1}, found: []string{"KS001 b/k/kustomization.yaml:0 with a/s.yaml:1", "KS004 c/k/kustomization.yaml:0"}, quoted: "recursed merging from path '/root/b/k'",
		},
		"one that fails together with a stranger's, which fails by itself too": {
			claims:  []Claim{claimWithFiles("b", map[string]string{"k/kustomization.yaml": variable("none")["k/kustomization.yaml"], "k/m.yaml": testkit.ConfigMaps("x")})},
			foreign: files("a", map[string]string{"kustomization.yaml": variable("none")["k/kustomization.yaml"], "m.yaml": testkit.ConfigMaps("y")}),
			held:    []int{0}, found: []string{"KS004 a/kustomization.yaml:0", "KS004 b/k/kustomization.yaml:0"}, quoted: "recursed merging from path '/root/b/k': var 'V' already encountered",
		},
		"one that fails at the end for what could not be written out": {
			claims: []Claim{claimWithFiles("a", map[string]string{"k/kustomization.yaml": variable("x")["k/kustomization.yaml"], "k/m.yaml": testkit.ConfigMaps("x") + "  labels: {{ x }}\n"}), claim("b", []string{"y"}, nil)},
			held:   []int{0}, found: []string{"KS004 a/k/kustomization.yaml:0"}, quoted: "considering field 'metadata/labels'",
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := Check(Root{Path: testkit.Path("root"), Claims: c.claims, Foreign: c.foreign, CheckCache: &CheckCache{}})
			if held := slices.Sorted(maps.Keys(v.Quarantined)); !slices.Equal(held, c.held) {
				t.Errorf("held %v, want %v", v.Quarantined, c.held)
			}
			if got := summaries(v.Findings); !slices.Equal(got, c.found) {
				t.Errorf("found %v, want %v", v.Findings, c.found)
			}
			var quoted []string
			for _, f := range v.Findings {
				quoted = append(quoted, f.Flux)
				if f.Flux != "" && !strings.HasPrefix(f.Flux, "kustomize build failed: ") {
					t.Errorf("Flux would not say %q", f.Flux)
				}
			}
			if all := strings.Join(quoted, "\n"); !strings.Contains(all, c.quoted) || (c.quoted == "") != (strings.TrimSpace(all) == "") {
				t.Errorf("quoted %q", all)
			}
		})
	}
}

func TestObjectWithUnresolvableReferencesHoldsItsClaimBack(t *testing.T) {
	pod := "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec: text\n"
	v := Check(Root{Path: testkit.Path("root"), Claims: []Claim{claimWithFiles("a", map[string]string{"p.yaml": testkit.ConfigMaps("x") + "---\n" + pod}), claim("b", []string{"y"}, nil)}})
	if got := summaries(v.Findings); !slices.Equal(got, []string{"KS002 a/p.yaml:0"}) || len(v.Quarantined) != 1 || v.Quarantined[0] == "" {
		t.Fatalf("held %v, found %v", v.Quarantined, got)
	}
	err := kustomize.Build(testkit.Path("root"), []tree.File{{Path: testkit.Path("a/p.yaml"), Content: []byte(testkit.ConfigMaps("x") + "---\n" + pod)}})
	if err == nil || v.Findings[0].Flux != oneLine(err) {
		t.Errorf("quoted %q, Flux says %v", v.Findings[0].Flux, err)
	}
}

func TestFluxIsQuotedForTwoEqualObjectsInOneFile(t *testing.T) {
	// kustomize reports z first, because b contains z twice.
	claims := []Claim{claim("a", []string{"x"}, nil), claim("b", []string{"x", "z", "z"}, nil)}
	v := Check(Root{Path: testkit.Path("root"), Claims: claims})
	const want = "kustomize build failed: accumulating resources: accumulation err='accumulating resources from './b/maps.yaml': " +
		"may not add resource with an already registered id: ConfigMap.v1.[noGrp]/z.[noNs]': " +
		"must build at directory: '/root/b/maps.yaml': file is not directory"
	var quoted []finding.Finding
	for _, f := range v.Findings {
		if f.Flux != "" {
			quoted = append(quoted, f)
		}
	}
	if len(quoted) != 1 || quoted[0].Flux != want || !strings.HasPrefix(quoted[0].Message, "ConfigMap default/z ") {
		t.Errorf("quoted %v", quoted)
	}
}

func TestFluxReadsThePartsOfOneFileInTheirOrder(t *testing.T) {
	a, b := joined(flat("a", "all.yaml", "", nil)), joined(flat("b", "all.yaml", "", nil))
	a.Wanted[0].Content, b.Wanted[0].Content = []byte(testkit.ConfigMaps("p", "q", "x")), []byte(testkit.ConfigMaps("x", "q"))
	v := Check(Root{Path: testkit.Path("root"), Claims: []Claim{a, b}})
	whole := slices.Concat(a.Wanted[0].Content, []byte("---\n"), b.Wanted[0].Content)
	err := kustomize.Build(testkit.Path("root"), []tree.File{{Path: testkit.Path("all.yaml"), Content: whole}})
	at := slices.IndexFunc(v.Findings, func(f finding.Finding) bool { return f.Flux != "" })
	if err == nil || at < 0 || v.Findings[at].Flux != oneLine(err) || !strings.HasPrefix(v.Findings[at].Message, "ConfigMap default/x ") {
		t.Errorf("found %v, Flux says %v", v.Findings, err)
	}
}

type bomb struct{ nested, units int }

func (b *bomb) Nested(tree.Path, tree.Path, []tree.File) (kustomize.Nested, error) {
	b.nested++
	return kustomize.Nested{}, kustomize.BoundsError("kustomize was ended by its limits")
}

func (b *bomb) Units(tree.Path, []tree.Path, []tree.File) error {
	b.units++
	return kustomize.BoundsError("kustomize was ended by its limits")
}

func TestBuildThatExceedsItsLimitsIsTriedOnce(t *testing.T) {
	builder := &bomb{}
	cache := &kustomize.Cache{Builder: builder}
	growing := map[string]string{}
	for _, level := range []string{"a", "b", "c", "d"} {
		growing[level+"/kustomization.yaml"] = "resources: [../a]\n"
	}
	for round, other := range []string{"x", "y", "z"} {
		cache.Sweep()
		verdict := Check(Root{Path: testkit.Path("root"), Claims: []Claim{claimWithFiles("a", growing), claim("b", []string{other}, nil)}, Cache: cache, CheckCache: &CheckCache{}})
		if _, held := verdict.Quarantined[0]; !held || len(verdict.Quarantined) != 1 {
			t.Errorf("held %v, want the first claim alone", verdict.Quarantined)
		}
		if len(verdict.Findings) != 1 || !strings.Contains(verdict.Findings[0].Message, "is not known: kustomize was ended by its limits") || verdict.Findings[0].Flux != "" {
			t.Errorf("findings %+v", verdict.Findings)
		}
		if builder.nested != 1 || builder.units != 0 {
			t.Fatalf("round %d: %d directories and %d roots were built, want one directory in all", round, builder.nested, builder.units)
		}
	}
	for range 101 {
		cache.Sweep()
		Check(Root{Path: testkit.Path("root"), Claims: []Claim{claimWithFiles("a", growing)}, Cache: cache})
	}
	if builder.nested != 2 {
		t.Errorf("it was built %d times in a hundred rounds, want once more", builder.nested)
	}
}
