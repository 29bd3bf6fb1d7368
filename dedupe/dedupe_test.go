package dedupe

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func files(owner string, contents map[string]string) []File {
	var made []File
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		made = append(made, File{
			File:  tree.File{Path: testkit.Path("root/" + owner + "/" + name), Content: []byte(contents[name])},
			Place: finding.Place{Object: "Work default/" + owner, File: name},
		})
	}
	return made
}

func claim(owner string, wanted, stored []string) Claim {
	c := Claim{Object: "Work default/" + owner, Owner: "request " + owner, Dir: testkit.Path("root/" + owner), Rank: Rank{Name: owner}}
	if wanted != nil {
		c.Wanted = files(owner, map[string]string{"maps.yaml": testkit.ConfigMaps(wanted...)})
	}
	if stored != nil {
		c.Stored = files(owner, map[string]string{"maps.yaml": testkit.ConfigMaps(stored...)})
	}
	return c
}

func flat(owner, file, name string, stored []string) Claim {
	one := func(file, name string) []File {
		return []File{{
			File:  tree.File{Path: testkit.Path("root/" + file), Content: []byte(testkit.ConfigMaps(name))},
			Place: finding.Place{Object: "Work default/" + owner, File: file},
		}}
	}
	c := Claim{Object: "Work default/" + owner, Owner: "request " + owner, Rank: Rank{Name: owner}, Wanted: one(file, name)}
	if stored != nil {
		c.Stored = one(stored[0], stored[1])
	}
	return c
}

func joined(c Claim) Claim {
	c.Joined = true
	return c
}

func changedClaim(change func(*Claim), c Claim) Claim {
	change(&c)
	return c
}

func summaries(findings []finding.Finding) []string {
	var lines []string
	for _, f := range findings {
		line := f.Rule.ID + " " + short(f.Place)
		for _, r := range f.Related {
			line += " with " + short(r.Place)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func short(p finding.Place) string {
	return fmt.Sprintf("%s/%s:%d", strings.TrimPrefix(p.Object, "Work default/"), p.File, p.Line)
}

func TestCheck(t *testing.T) {
	type strs = []string
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	for name, c := range map[string]struct {
		claims  []Claim
		foreign []File
		held    []int
		found   strs
	}{
		"nothing conflicts": {
			claims: []Claim{claim("a", strs{"x"}, nil), claim("b", strs{"y"}, nil)},
		},
		"of two new ones the later is held": {
			claims: []Claim{claim("b", strs{"x"}, nil), claim("a", strs{"x"}, nil)},
			held:   []int{0}, found: strs{"KS001 b/maps.yaml:1 with a/maps.yaml:1"},
		},
		"age goes before the name": {
			claims: []Claim{
				changedClaim(func(c *Claim) { c.Rank.Created = at(2) }, claim("a", strs{"x"}, nil)),
				changedClaim(func(c *Claim) { c.Rank.Created = at(1) }, claim("b", strs{"x"}, nil)),
			},
			held: []int{0}, found: strs{"KS001 a/maps.yaml:1 with b/maps.yaml:1"},
		},
		"what is in the store goes before age": {
			claims: []Claim{
				changedClaim(func(c *Claim) { c.Rank.Created = at(1) }, claim("a", strs{"x"}, nil)),
				changedClaim(func(c *Claim) { c.Rank.Created = at(2) }, claim("b", strs{"x"}, strs{"x"})),
			},
			held: []int{0}, found: strs{"KS001 a/maps.yaml:1 with b/maps.yaml:1"},
		},
		"who is in the store goes before age for what is new too": {
			claims: []Claim{
				changedClaim(func(c *Claim) { c.Rank.Created = at(1) }, claim("a", strs{"x"}, nil)),
				changedClaim(func(c *Claim) { c.Rank.Created = at(2) }, claim("b", strs{"y", "x"}, strs{"y"})),
			},
			held: []int{0}, found: strs{"KS001 a/maps.yaml:1 with b/maps.yaml:6"},
		},
		"every conflict is named, with the line": {
			claims: []Claim{claim("a", strs{"x", "y", "z"}, nil), claim("b", strs{"z", "n", "x"}, nil)},
			held:   []int{1}, found: strs{"KS001 b/maps.yaml:1 with a/maps.yaml:11", "KS001 b/maps.yaml:11 with a/maps.yaml:1"},
		},
		"only a claim with a conflict is held": {
			claims: []Claim{claim("a", strs{"x"}, nil), claim("b", strs{"x", "y"}, nil), claim("c", strs{"y"}, nil)},
			held:   []int{1}, found: strs{"KS001 b/maps.yaml:1 with a/maps.yaml:1", "KS001 b/maps.yaml:6 with c/maps.yaml:1"},
		},
		"an object twice in one claim holds it": {
			claims: []Claim{claim("a", strs{"x", "x"}, nil), claim("b", strs{"y"}, nil)},
			held:   []int{0}, found: strs{"KS001 a/maps.yaml:6 with a/maps.yaml:1"},
		},
		"two may swap objects at once": {
			claims: []Claim{claim("a", strs{"x"}, strs{"y"}), claim("b", strs{"y"}, strs{"x"})},
		},
		"an object that its owner gives up is free at once": {
			claims: []Claim{claim("a", strs{"x"}, nil), claim("b", strs{"y"}, strs{"x"})},
		},
		"an object is not free while its owner's change is held": {
			claims: []Claim{claim("a", strs{"x"}, nil), claim("b", strs{"y"}, strs{"x"}), claim("c", strs{"y"}, strs{"y"})},
			held:   []int{0, 1}, found: strs{"KS001 a/maps.yaml:1 with b/maps.yaml:1", "KS001 b/maps.yaml:1 with c/maps.yaml:1"},
		},
		"an object that a later claim gives up goes to an earlier one, though others conflict": {
			claims: []Claim{
				claim("a", strs{"x"}, nil), claim("b", strs{"y"}, strs{"x"}),
				claim("c", strs{"z"}, nil), claim("d", strs{"z"}, nil),
			},
			held: []int{3}, found: strs{"KS001 d/maps.yaml:1 with c/maps.yaml:1"},
		},
		"a conflict that is in the store already is reported and nothing is held": {
			claims: []Claim{claim("a", strs{"x"}, strs{"x"}), claim("b", strs{"x"}, strs{"x"})},
			found:  strs{"KS001 b/maps.yaml:1 with a/maps.yaml:1"},
		},
		"a foreign file goes before everyone": {
			claims: []Claim{claim("a", strs{"x"}, nil)}, foreign: files("stranger", map[string]string{"s.yaml": testkit.ConfigMaps("x")}),
			held: []int{0}, found: strs{"KS001 a/maps.yaml:1 with stranger/s.yaml:1"},
		},
		"a file that Flux cannot build holds its claim alone": {
			claims: []Claim{
				changedClaim(func(c *Claim) {
					c.Wanted = files("a", map[string]string{"ok.yaml": testkit.ConfigMaps("x"), "v.yaml": "just: values\n"})
				}, claim("a", nil, nil)),
				claim("b", strs{"x"}, nil),
			},
			held: []int{0}, found: strs{"KS001 a/ok.yaml:1 with b/maps.yaml:1", "KS002 a/v.yaml:1"},
		},
		"a file that Flux does not read may hold anything": {
			claims: []Claim{changedClaim(func(c *Claim) { c.Wanted = files("a", map[string]string{"notes.txt": "just: values", "x.json": "{"}) }, claim("a", nil, nil))},
		},
		"a foreign file that Flux cannot build is reported": {
			claims: []Claim{claim("a", strs{"x"}, nil)}, foreign: files("stranger", map[string]string{"s.yaml": "a: b: c"}),
			found: strs{"KS002 stranger/s.yaml:1"},
		},
		"of two claims on one directory the later is held": {
			claims: []Claim{claim("a", strs{"x"}, strs{"x"}), changedClaim(func(c *Claim) { c.Dir = testkit.Path("root/a"); c.Stored = nil }, claim("b", strs{"y"}, nil))},
			held:   []int{1}, found: strs{"KS003 b/:0 with a/:0"},
		},
		"of two that want one file the later is held": {
			claims: []Claim{flat("a", "x.yaml", "x", nil), flat("b", "x.yaml", "y", nil), flat("c", "z.yaml", "z", nil)},
			held:   []int{1}, found: strs{"KS003 b/x.yaml:0 with a/x.yaml:0"},
		},
		"a file that is in the store already goes first": {
			claims: []Claim{flat("a", "x.yaml", "x", nil), flat("b", "x.yaml", "y", strs{"x.yaml", "y"})},
			held:   []int{0}, found: strs{"KS003 a/x.yaml:0 with b/x.yaml:0"},
		},
		"a file that its owner gives up is free at once": {
			claims: []Claim{flat("a", "x.yaml", "x", nil), flat("b", "y.yaml", "y", strs{"x.yaml", "x"})},
		},
		"a foreign file at a path goes first": {
			claims:  []Claim{flat("a", "x.yaml", "x", nil)},
			foreign: []File{{File: tree.File{Path: testkit.Path("root/x.yaml"), Content: []byte(testkit.ConfigMaps("y"))}, Place: finding.Place{Object: "store", File: "root/x.yaml"}}},
			held:    []int{0}, found: strs{"KS003 a/x.yaml:0 with store/root/x.yaml:0"},
		},
		"parts of one file are nobody's path": {
			claims: []Claim{joined(flat("a", "all.yaml", "x", nil)), joined(flat("b", "all.yaml", "y", nil))},
		},
		"parts of one file conflict by their objects": {
			claims: []Claim{joined(flat("a", "all.yaml", "x", nil)), joined(flat("b", "all.yaml", "x", nil))},
			held:   []int{1}, found: strs{"KS001 b/all.yaml:1 with a/all.yaml:1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			verdict := Check(Root{Path: testkit.Path("root"), Claims: c.claims, Foreign: c.foreign})
			held := slices.Sorted(maps.Keys(verdict.Quarantined))
			if !slices.Equal(held, c.held) {
				t.Errorf("held %v, want %v", held, c.held)
			}
			if got := summaries(verdict.Findings); !slices.Equal(got, c.found) {
				t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.found, "\n"))
			}
		})
	}
}

func TestFluxIsQuotedForTheFirstConflictInWalkOrder(t *testing.T) {
	// Flux reads files in the order of their names, and would fail in the file of b.
	older := changedClaim(func(c *Claim) { c.Rank.Created = time.Unix(1, 0) }, claim("b", []string{"x", "y"}, nil))
	newer := changedClaim(func(c *Claim) { c.Rank.Created = time.Unix(2, 0) }, claim("a", []string{"y", "x"}, nil))
	verdict := Check(Root{Path: testkit.Path("root"), Claims: []Claim{older, newer}})

	const want = "kustomize build failed: accumulating resources: accumulation err='merging resources from './b/maps.yaml': " +
		"may not add resource with an already registered id: ConfigMap.v1.[noGrp]/x.[noNs]': " +
		"must build at directory: '/root/b/maps.yaml': file is not directory"
	var quoted []string
	for _, f := range verdict.Findings {
		if f.Flux != "" {
			quoted = append(quoted, f.Message+": "+f.Flux)
		}
	}
	if len(quoted) != 1 || quoted[0] != "ConfigMap default/x is in root already: "+want {
		t.Errorf("quoted %q", quoted)
	}
}

func TestOnlySomeOfManyConflictsAreNamed(t *testing.T) {
	content := testkit.ConfigMaps(slices.Repeat([]string{"x"}, maxConflicts+11)...)
	got := Check(Root{Path: testkit.Path("root"), Claims: []Claim{{Object: "Work a", Owner: "a", Wanted: files("a", map[string]string{"root/a.yaml": content})}}})
	if len(got.Findings) != maxConflicts || !strings.HasSuffix(got.Findings[maxConflicts-1].Message, "; 10 more conflicts of the same Work are not listed") {
		t.Errorf("%d findings, the last is %v", len(got.Findings), got.Findings[len(got.Findings)-1])
	}
}

func TestFluxIsQuotedForTwoPartsOfOneFile(t *testing.T) {
	verdict := Check(Root{Path: testkit.Path("root"), Claims: []Claim{joined(flat("a", "all.yaml", "x", nil)), joined(flat("b", "all.yaml", "x", nil))}})
	const want = "kustomize build failed: accumulating resources: accumulation err='accumulating resources from './all.yaml': " +
		"may not add resource with an already registered id: ConfigMap.v1.[noGrp]/x.[noNs]': " +
		"must build at directory: '/root/all.yaml': file is not directory"
	if got := verdict.Findings[0].Flux; got != want {
		t.Errorf("quoted %q", got)
	}
}

func TestFluxIsQuotedForAFileThatItCannotRead(t *testing.T) {
	broken := changedClaim(func(c *Claim) { c.Wanted = files("a", map[string]string{"v.yaml": "just: values\n"}) }, claim("a", nil, nil))
	verdict := Check(Root{Path: testkit.Path("root"), Claims: []Claim{broken}})
	if got := verdict.Findings[0].Flux; got != "failed to decode Kubernetes YAML from /root/a/v.yaml: missing Resource metadata" {
		t.Errorf("quoted %q", got)
	}
}

func TestAdmittedPlacementsBuild(t *testing.T) {
	testkit.Slow(t)
	for seed := range testkit.Seeds(300) {
		rng := rand.New(rand.NewPCG(seed, 2))
		root := randomRoot(rng)
		verdict := Check(root)
		after := apply(root, verdict)
		if err := kustomize.Build(root.Path, after); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i := range verdict.Quarantined {
			freed := Verdict{Quarantined: maps.Clone(verdict.Quarantined)}
			delete(freed.Quarantined, i)
			if kustomize.Build(root.Path, apply(root, freed)) == nil {
				t.Fatalf("seed %d: claim %s is held for nothing", seed, root.Claims[i].Object)
			}
		}
		slices.Reverse(root.Claims)
		again := Check(root)
		if a, b := summaries(verdict.Findings), summaries(again.Findings); !slices.Equal(a, b) {
			t.Fatalf("seed %d: the order matters:\n%v\n%v", seed, a, b)
		}
	}
}

func randomRoot(rng *rand.Rand) Root {
	root := Root{Path: testkit.Path("root")}
	free := rng.Perm(12)
	for i := range 2 + rng.IntN(4) {
		var wanted, stored []string
		for range rng.IntN(3) {
			stored = append(stored, fmt.Sprint("m", free[0]))
			free = free[1:]
		}
		for range 1 + rng.IntN(3) {
			wanted = append(wanted, fmt.Sprint("m", rng.IntN(12)))
		}
		root.Claims = append(root.Claims, claim(fmt.Sprint("c", i), wanted, stored))
	}
	return root
}

func apply(root Root, verdict Verdict) []tree.File {
	var after []tree.File
	for i, c := range root.Claims {
		now := c.Wanted
		if _, held := verdict.Quarantined[i]; held {
			now = c.Stored
		}
		for _, f := range now {
			below, _ := f.Path.RelativeTo(root.Path)
			after = append(after, tree.File{Path: below, Content: f.Content})
		}
	}
	tree.SortFiles(after)
	return after
}
