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
)

func textClaim(owner string, wanted, stored []string) Claim {
	made := func(names []string) []File {
		var files []File
		for _, name := range names {
			files = append(files, File{File: tree.File{Path: testkit.Path("root/" + name)}, Place: finding.Place{Object: "Work default/" + owner, File: name}})
		}
		return files
	}
	return Claim{Object: "Work default/" + owner, Owner: "request " + owner, Rank: Rank{Name: owner}, Wanted: made(wanted), Stored: made(stored)}
}

func claimOfDirectory(dir string, c Claim) Claim {
	c.Dir = testkit.Path("root/" + dir)
	return c
}

func TestFileAndDirectoryAtOnePathConflict(t *testing.T) {
	stranger := func(names ...string) []File { return textClaim("stranger", names, nil).Wanted }
	symlink := func(name string) []Obstacle {
		return []Obstacle{{Path: testkit.Path("root/" + name), Kind: "a symlink", Place: finding.Place{Object: "GitStateStore s", File: name}}}
	}
	older := func(c Claim) Claim {
		c.Rank.Created = time.Unix(1, 0)
		return c
	}
	newer := func(c Claim) Claim {
		c.Rank.Created = time.Unix(2, 0)
		return c
	}
	for name, c := range map[string]struct {
		claims    []Claim
		foreign   []File
		obstacles []Obstacle
		held      []int
		found     []string
	}{
		"the one that comes later by name is held": {
			claims: []Claim{textClaim("a", []string{"app"}, nil), textClaim("b", []string{"app/cm"}, nil), textClaim("c", []string{"c/cm"}, nil)},
			held:   []int{1}, found: []string{"KS003 b/app/cm:0 with a/app:0"},
		},
		"the younger is held": {
			claims: []Claim{newer(textClaim("a", []string{"app"}, nil)), older(textClaim("b", []string{"app/x/cm"}, nil))},
			held:   []int{0}, found: []string{"KS003 a/app:0 with b/app/x/cm:0"},
		},
		"what is stored comes first": {
			claims: []Claim{older(textClaim("a", []string{"app"}, nil)), newer(textClaim("b", []string{"app/cm"}, []string{"app/cm"}))},
			held:   []int{0}, found: []string{"KS003 a/app:0 with b/app/cm:0"},
		},
		"many share a directory": {
			claims: []Claim{textClaim("a", []string{"app/a"}, nil), textClaim("b", []string{"app/b"}, nil), textClaim("c", []string{"app/c/d"}, nil)},
		},
		"a file between many": {
			claims: []Claim{textClaim("a", []string{"app/a"}, nil), textClaim("b", []string{"app"}, nil), textClaim("c", []string{"app/c"}, nil)},
			held:   []int{1}, found: []string{"KS003 b/app:0 with a/app/a:0"},
		},
		"one hands its path over to another in one step": {
			claims: []Claim{textClaim("a", []string{"other"}, []string{"app"}), textClaim("b", []string{"app/cm"}, nil)},
		},
		"one turns its file into a directory": {
			claims: []Claim{textClaim("a", []string{"app/cm"}, []string{"app"})},
		},
		"one that keeps what it has is in the way of another": {
			claims: []Claim{changedClaim(func(c *Claim) { c.Kept = true }, textClaim("a", []string{"other"}, []string{"app"})), textClaim("b", []string{"app/cm"}, nil)},
			held:   []int{1}, found: []string{"KS003 b/app/cm:0 with a/app:0"},
		},
		"one that is held is in nobody's way": {
			claims:  []Claim{textClaim("a", []string{"app", "stranger/x"}, nil), textClaim("b", []string{"app/cm"}, nil)},
			foreign: stranger("stranger"),
			held:    []int{0}, found: []string{"KS003 a/app:0 with b/app/cm:0", "KS003 a/stranger/x:0 with stranger/stranger:0"},
		},
		"a file that belongs to no placement above": {
			claims: []Claim{claimOfDirectory("ns/p", textClaim("a", []string{"ns/p/x"}, nil)), claimOfDirectory("ms/p", textClaim("b", []string{"ms/p/x"}, nil))}, foreign: stranger("ns"),
			held: []int{0}, found: []string{"KS003 a/:0 with stranger/ns:0"},
		},
		"files of nobody's below": {
			claims: []Claim{textClaim("a", []string{"app"}, nil)}, foreign: stranger("app/x", "app/y"),
			held: []int{0}, found: []string{"KS003 a/app:0 with stranger/app/x:0"},
		},
		"a directory in another's": {
			claims: []Claim{claimOfDirectory("r/abcde", textClaim("a", []string{"r/abcde/x"}, nil)), claimOfDirectory("r/abcde/12345", textClaim("b", []string{"r/abcde/12345/x"}, nil))},
			held:   []int{1}, found: []string{"KS003 b/:0 with a/:0"},
		},
		"a symlink above": {
			claims: []Claim{claimOfDirectory("ns/p", textClaim("a", []string{"ns/p/x"}, nil))}, obstacles: symlink("ns"),
			held: []int{0}, found: []string{"KS003 a/:0 with GitStateStore s/ns:0"},
		},
		"a symlink at the place of a file": {
			claims: []Claim{claimOfDirectory("p", textClaim("a", []string{"p/x", "p/y"}, nil))}, obstacles: symlink("p/x"),
			held: []int{0}, found: []string{"KS003 a/p/x:0 with GitStateStore s/p/x:0"},
		},
		"a symlink where the directory above a file is wanted": {
			claims: []Claim{claimOfDirectory("p", textClaim("a", []string{"p/d/x"}, nil))}, obstacles: symlink("p/d"),
			held: []int{0}, found: []string{"KS003 a/p/d/x:0 with GitStateStore s/p/d:0"},
		},
		"a symlink below a file": {
			claims: []Claim{textClaim("a", []string{"x"}, nil)}, obstacles: symlink("x/link"),
			held: []int{0}, found: []string{"KS003 a/x:0 with GitStateStore s/x/link:0"},
		},
		"a .sourceignore above what others have": {
			claims: []Claim{textClaim("a", []string{"d/.sourceignore", "d/x"}, nil), textClaim("b", []string{"d/e/y"}, []string{"d/e/y"})},
			held:   []int{0}, found: []string{"KS008 a/d/.sourceignore:0 with b/d/e/y:0"},
		},
		"a .sourceignore above a file that belongs to no placement": {
			claims: []Claim{textClaim("a", []string{"d/.sourceignore"}, nil)}, foreign: stranger("d/x"),
			held: []int{0}, found: []string{"KS008 a/d/.sourceignore:0 with stranger/d/x:0"},
		},
		"a .sourceignore over one's own files": {
			claims: []Claim{textClaim("a", []string{"d/.sourceignore", "d/x"}, nil), textClaim("b", []string{"e/y"}, nil)},
		},
		"a file below a .sourceignore that is there": {
			claims: []Claim{newer(textClaim("a", []string{"d/.sourceignore"}, []string{"d/.sourceignore"})), older(textClaim("b", []string{"d/y"}, nil))},
			held:   []int{1}, found: []string{"KS003 b/d/y:0 with a/d/.sourceignore:0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := Root{Path: testkit.Path("root"), Claims: c.claims, Foreign: c.foreign, Obstacles: c.obstacles, CheckCache: &CheckCache{}}
			for round := range 2 {
				v := Check(root)
				if held := slices.Sorted(maps.Keys(v.Quarantined)); !slices.Equal(held, c.held) {
					t.Errorf("round %d: held %v, want %v", round, v.Quarantined, c.held)
				}
				if got := summaries(v.Findings); !slices.Equal(got, c.found) {
					t.Errorf("round %d: found %q, want %q", round, got, c.found)
				}
			}
		})
	}
}

func TestAllowedNameMayApplyToADirectory(t *testing.T) {
	root := Root{Path: testkit.Path("root"), Claims: []Claim{textClaim("a", []string{"d/.sourceignore"}, nil), textClaim("b", []string{"d/y"}, nil)}}
	root.Allows = func(name string) bool { return name == ".sourceignore" }
	if v := Check(root); len(v.Quarantined) > 0 {
		t.Errorf("held %v", v.Quarantined)
	}
}

func TestExistingKustomizationHoldsBackLaterFiles(t *testing.T) {
	with := textClaim("a", []string{"d/kustomization.yaml", "d/m.yaml"}, nil)
	with.Wanted[0].Content, with.Wanted[1].Content = []byte("resources: [m.yaml]\n"), []byte(testkit.ConfigMaps("m"))
	with.Stored = with.Wanted
	v := Check(Root{Path: testkit.Path("root"), Claims: []Claim{with, textClaim("b", []string{"d/y"}, nil)}})
	if got := summaries(v.Findings); len(v.Quarantined) != 1 || v.Quarantined[1] == "" || !slices.Equal(got, []string{"KS003 b/d/y:0 with a/d/kustomization.yaml:0"}) {
		t.Errorf("held %v, found %q", v.Quarantined, got)
	}
}

func TestFindingsAboutPathsHaveOneOrder(t *testing.T) {
	a, b := claimOfDirectory("d", textClaim("a", nil, []string{"d/y"})), textClaim("b", nil, []string{"d/e/x"})
	a.Wanted, b.Wanted = a.Stored, b.Stored
	link := []Obstacle{{Path: testkit.Path("root/d/e"), Kind: "a symlink", Place: finding.Place{Object: "GitStateStore s", File: "root/d/e"}}}
	for range 30 {
		var messages []string
		for _, f := range Check(Root{Path: testkit.Path("root"), Claims: []Claim{a, b}, Obstacles: link}).Findings {
			messages = append(messages, f.Message)
		}
		want := []string{"root/d is another's directory, so nothing else can lie below it", "root/d/e is a symlink, so nothing else can lie below it"}
		if !slices.Equal(messages, want) {
			t.Fatalf("found %q, want %q", messages, want)
		}
	}
}

func FuzzContested(f *testing.F) {
	f.Add("app app/cm b/c b")
	f.Add("a/b/c a/b a")
	f.Add("a a-b a/b a.b/c")
	f.Fuzz(func(t *testing.T, text string) {
		var paths []tree.Path
		for s := range strings.FieldsSeq(text) {
			if p, err := tree.ParsePath(s); err == nil {
				paths = append(paths, p)
			}
		}
		want := map[tree.Path]bool{}
		for _, p := range paths {
			for _, other := range paths {
				if p != other && other.Within(p) {
					want[p] = true
				}
			}
		}
		if got := contested(paths); !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestPathIsContestedByCurrentFiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var counts pathCounts
	index := newIndex()
	var there []*entry
	for step := range 3000 {
		if len(there) > 0 && (len(there) > 12 || rng.IntN(2) == 0) {
			at := rng.IntN(len(there))
			e := there[at]
			there = slices.Delete(there, at, at+1)
			index.remove(e)
			counts.remove(e, index.count(e.id) == 0, index)
		} else {
			names := make([]string, 1+rng.IntN(3))
			for i := range names {
				names[i] = string(rune('a' + rng.IntN(2)))
			}
			e := &entry{path: testkit.Path(strings.Join(names, "/")), of: &claimant{step}}
			if rng.IntN(4) == 0 && len(names) > 1 {
				e.kind = governs
			}
			e.id = pathIdentity(e.at())
			there = append(there, e)
			index.add(e)
			counts.add(e, index.count(e.id) == 1, index)
		}
		want := map[tree.Path]bool{}
		for _, e := range there {
			for _, other := range there {
				if p := e.at(); other.path != p && other.path.Within(p) {
					want[p] = true
				}
			}
		}
		if counts.contested != len(want) {
			t.Fatalf("step %d: %d are contested, want %v", step, counts.contested, want)
		}
		if len(there) == 0 && len(counts.below) > 0 {
			t.Fatal(fmt.Sprint("nothing is there, and something is below ", counts.below))
		}
	}
}

func TestLargeFlatRootIsCheckedQuickly(t *testing.T) {
	var claims []Claim
	for i := range 5000 {
		claims = append(claims, textClaim(fmt.Sprint("a", i), []string{fmt.Sprintf("app/%d/x", i)}, nil), textClaim(fmt.Sprint("b", i), []string{"app"}, nil))
	}
	began := time.Now()
	v := Check(Root{Path: testkit.Path("root"), Claims: claims})
	if took := time.Since(began); took > 20*time.Second || len(v.Quarantined) != 5000 {
		t.Errorf("%d are held after %s", len(v.Quarantined), took)
	}
}
