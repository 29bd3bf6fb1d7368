package dedupe

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

type placement struct {
	name string
	// wants maps the objects of the placement to their texts. It is nil after the removal of the
	// placement.
	wants      map[string]string
	unreadable bool
	stored     []File
	shared     []Shared
}

func objectFile(wants map[string]string) string {
	var docs []string
	for _, name := range slices.Sorted(maps.Keys(wants)) {
		docs = append(docs, fmt.Sprintf("# about %s\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n  says: %q\n", name, name, wants[name]))
	}
	return strings.Join(docs, "---\n")
}

func (p *placement) claim() Claim {
	c := Claim{Object: "Work default/" + p.name, Owner: p.name, Dir: testkit.Path("root/" + p.name), Rank: Rank{Name: p.name}, Stored: p.stored, Shared: p.shared}
	switch {
	case p.unreadable:
		c.Kept = true
	case len(p.wants) > 0:
		c.Wanted = files(p.name, map[string]string{"f.yaml": objectFile(p.wants)})
	}
	return c
}

type fixture struct {
	t          *testing.T
	placements map[string]*placement
}

func (fx *fixture) round() Verdict {
	names := slices.Sorted(maps.Keys(fx.placements))
	root := Root{Path: testkit.Path("root"), Policy: Share}
	for _, name := range names {
		root.Claims = append(root.Claims, fx.placements[name].claim())
	}
	verdict := Check(root)
	for i, name := range names {
		p := fx.placements[name]
		if _, held := verdict.Quarantined[i]; held || p.unreadable {
			continue
		}
		p.stored, p.shared = root.Claims[i].Wanted, verdict.Shared[i]
		if cut, ok := verdict.Files[i]; ok {
			p.stored = cut
		}
		if p.wants == nil {
			delete(fx.placements, name)
		}
	}
	return verdict
}

func (fx *fixture) objects() map[string]string {
	fx.t.Helper()
	found := map[string]string{}
	for _, p := range fx.placements {
		for _, file := range p.stored {
			for doc := range strings.SplitSeq(string(file.Content), "---\n") {
				var name, says string
				for line := range strings.Lines(doc) {
					if value, ok := strings.CutPrefix(line, "  name: "); ok {
						name = strings.TrimSpace(value)
					}
					if value, ok := strings.CutPrefix(line, "  says: "); ok {
						says = strings.Trim(strings.TrimSpace(value), `"`)
					}
				}
				if _, twice := found[name]; twice {
					fx.t.Fatalf("%s is in the store twice", name)
				}
				found[name] = says
			}
		}
	}
	return found
}

func newFixture(t *testing.T, wants map[string]map[string]string) *fixture {
	t.Helper()
	fx := &fixture{t: t, placements: map[string]*placement{}}
	for name, objects := range wants {
		fx.placements[name] = &placement{name: name, wants: objects}
	}
	return fx
}

type says = map[string]string

func TestEqualObjectsAreSharedAndTheLastOwnerRemovesThem(t *testing.T) {
	fx := newFixture(t, map[string]map[string]string{"a": {"x": "1", "own-a": "1"}, "b": {"x": "1", "own-b": "1"}})
	if v := fx.round(); len(v.Quarantined) > 0 || len(v.Findings) > 0 {
		t.Fatalf("held %v, found %v", v.Quarantined, summaries(v.Findings))
	}
	if got, want := fx.objects(), (says{"x": "1", "own-a": "1", "own-b": "1"}); !maps.Equal(got, want) {
		t.Fatalf("the store has %v, want %v", got, want)
	}
	if got := fx.placements["b"].shared; len(got) != 1 || !slices.Equal(got[0].Owners, []string{"a", "b"}) {
		t.Fatalf("b shares %v", got)
	}
	fx.placements["a"].wants = nil
	fx.round()
	if got, want := fx.objects(), (says{"x": "1", "own-b": "1"}); !maps.Equal(got, want) {
		t.Fatalf("after a left the store has %v, want %v", got, want)
	}
	fx.placements["b"].wants = nil
	fx.round()
	if got := fx.objects(); len(got) != 0 {
		t.Fatalf("after both left the store has %v", got)
	}
}

func TestChangedCopyIsAConflictThatNamesTheDifference(t *testing.T) {
	for _, who := range []string{"a", "b"} {
		fx := newFixture(t, map[string]map[string]string{"a": {"x": "1"}, "b": {"x": "1"}})
		fx.round()
		fx.placements[who].wants = says{"x": "2"}
		v := fx.round()
		if len(v.Quarantined) != 1 || len(v.Findings) != 1 || !strings.Contains(v.Findings[0].Message, `data.says is "2", not "1"`) {
			t.Fatalf("%s changed: held %v, found %v", who, v.Quarantined, v.Findings)
		}
		if got := fx.objects(); got["x"] != "1" {
			t.Fatalf("%s changed: the store has %v", who, got)
		}
	}
}

func TestOwnersThatChangeAlikeChangeTheObject(t *testing.T) {
	fx := newFixture(t, map[string]map[string]string{"a": {"x": "1"}, "b": {"x": "1"}, "c": {"y": "1"}})
	fx.round()
	fx.placements["a"].wants, fx.placements["b"].wants = says{"x": "2"}, says{"x": "2"}
	fx.placements["d"] = &placement{name: "d", wants: says{"y": "other"}}
	v := fx.round()
	if got := fx.objects(); got["x"] != "2" || len(v.Quarantined) != 1 {
		t.Fatalf("the store has %v, held %v", got, v.Quarantined)
	}
}

func TestOwnerCannotGiveUpAnObjectThatAnUnreadableWorkShares(t *testing.T) {
	fx := newFixture(t, map[string]map[string]string{"a": {"x": "1"}, "b": {"x": "1"}})
	fx.round()
	fx.placements["b"].unreadable = true
	fx.placements["a"].wants = nil
	fx.round()
	if got := fx.objects(); got["x"] != "1" || fx.placements["a"] == nil {
		t.Fatalf("the store has %v", got)
	}
	fx.placements["b"].unreadable = false
	fx.round()
	if got := fx.objects(); got["x"] != "1" || fx.placements["a"] != nil {
		t.Fatalf("once b is back the store has %v", got)
	}
}

func TestSharedObjectMayBeInNoFile(t *testing.T) {
	kept := func(name string) Claim {
		c := claim(name, nil, nil)
		c.Kept, c.Shared = true, []Shared{{Object: kustomize.NewID("v1", "ConfigMap", "default", "x"), Owners: []string{"a", "b"}}}
		return c
	}
	v := Check(Root{Path: testkit.Path("root"), Policy: Share, Claims: []Claim{kept("a"), kept("b")}})
	if len(v.Quarantined)+len(v.Findings)+len(v.Files) > 0 || len(v.Shared) != 2 {
		t.Errorf("held %v, files %v, shared %v, found %v", v.Quarantined, v.Files, v.Shared, summaries(v.Findings))
	}
}

func TestSharedObjectInNoFileIsStillClaimed(t *testing.T) {
	kept := claim("a", nil, nil)
	kept.Kept, kept.Shared = true, []Shared{{Object: kustomize.NewID("v1", "ConfigMap", "default", "x"), Owners: []string{"a", "z"}}}
	v := Check(Root{Path: testkit.Path("root"), Policy: Share, Claims: []Claim{kept, claim("b", []string{"x"}, nil)}})
	if got := summaries(v.Findings); v.Quarantined[1] == "" || !slices.Equal(got, []string{"KS001 b/maps.yaml:1 with /:0"}) {
		t.Errorf("held %v, found %v", v.Quarantined, got)
	}
}

func TestObjectOfKustomizationIsNotShared(t *testing.T) {
	nested := claim("a", nil, nil)
	nested.Wanted = files("a", map[string]string{"k/kustomization.yaml": "resources: [m.yaml]\n", "k/m.yaml": testkit.ConfigMaps("x")})
	stored := nested
	stored.Stored = nested.Wanted
	sharing := claim("b", nil, nil)
	sharing.Kept, sharing.Shared = true, []Shared{{Object: kustomize.NewID("v1", "ConfigMap", "default", "x"), Owners: []string{"a", "b"}}}
	for name, c := range map[string]struct {
		claims []Claim
		held   []int
		found  []string
	}{
		"first":                    {[]Claim{nested, claim("b", []string{"x"}, nil)}, []int{1}, []string{"KS001 b/maps.yaml:1 with a/k/kustomization.yaml:0"}},
		"later":                    {[]Claim{nested, claim("b", []string{"x"}, []string{"x"})}, []int{0}, []string{"KS001 a/k/kustomization.yaml:0 with b/maps.yaml:1"}},
		"an old record shares it":  {[]Claim{stored, sharing}, nil, nil},
		"and a third one wants it": {[]Claim{stored, sharing, claim("c", []string{"x"}, nil)}, []int{2}, []string{"KS001 c/maps.yaml:1 with a/k/kustomization.yaml:0"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := Check(Root{Path: testkit.Path("root"), Policy: Share, Claims: c.claims})
			if held := slices.Sorted(maps.Keys(v.Quarantined)); !slices.Equal(held, c.held) || !slices.Equal(summaries(v.Findings), c.found) {
				t.Errorf("held %v, found %v", v.Quarantined, summaries(v.Findings))
			}
		})
	}
}

func TestNothingSharedIsEverLost(t *testing.T) {
	testkit.Slow(t)
	for seed := range testkit.Seeds(60) {
		rng := rand.New(rand.NewPCG(seed, 6))
		fx := newFixture(t, nil)
		for step := range 12 {
			fx.changeAtRandom(rng)
			before := fx.objects()
			expected := fx.objectsToKeep(before)
			fx.round()
			after := fx.objects()
			for _, name := range expected {
				if _, there := after[name]; !there {
					t.Fatalf("seed %d, step %d: %s is lost: before %v, after %v", seed, step, name, before, after)
				}
			}
			if err := kustomize.Build(testkit.Path("root"), fx.tree()); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
		}
		for _, p := range fx.placements {
			p.unreadable, p.wants = false, nil
		}
		fx.round()
		if len(fx.placements) != 0 {
			t.Fatalf("seed %d: %d placements are left", seed, len(fx.placements))
		}
	}
}

func (fx *fixture) changeAtRandom(rng *rand.Rand) {
	for i := range 5 {
		name := fmt.Sprint("t", i)
		p := fx.placements[name]
		switch {
		case rng.IntN(3) > 0:
			continue
		case p == nil:
			p = &placement{name: name}
			fx.placements[name] = p
		case p.stored != nil && rng.IntN(4) == 0:
			p.unreadable = !p.unreadable
			continue
		case rng.IntN(4) == 0:
			p.wants = nil
			continue
		}
		p.wants = says{}
		for range 1 + rng.IntN(3) {
			p.wants[fmt.Sprint("m", rng.IntN(4))] = strconv.Itoa(rng.IntN(2))
		}
	}
}

// objectsToKeep returns the names of the given objects that must still exist after the round.
func (fx *fixture) objectsToKeep(before map[string]string) []string {
	var names []string
	for name := range before {
		for _, p := range fx.placements {
			_, wants := p.wants[name]
			sharing := slices.ContainsFunc(p.shared, func(s Shared) bool { return s.Object.Name == name })
			if (wants && !p.unreadable && (sharing || p.holds(name))) || (p.unreadable && (sharing || p.holds(name))) {
				names = append(names, name)
			}
		}
	}
	return names
}

func (p *placement) holds(name string) bool {
	return slices.ContainsFunc(p.stored, func(f File) bool { return strings.Contains(string(f.Content), "  name: "+name+"\n") })
}

func (fx *fixture) tree() []tree.File {
	var all []tree.File
	for _, p := range fx.placements {
		for _, file := range p.stored {
			below, _ := file.Path.RelativeTo(testkit.Path("root"))
			all = append(all, tree.File{Path: below, Content: file.Content})
		}
	}
	return all
}
