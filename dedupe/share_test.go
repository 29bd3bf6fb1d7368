package dedupe

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// tenant is a placement over many rounds.
type tenant struct {
	name string
	// wants are its objects and what they say; nil once it is gone.
	wants map[string]string
	// unreadable means that its Work cannot be read now.
	unreadable bool
	stored     []File
	shared     []Shared
}

// objectFile is a file of ConfigMaps that say something.
func objectFile(wants map[string]string) string {
	var docs []string
	for _, name := range slices.Sorted(maps.Keys(wants)) {
		docs = append(docs, fmt.Sprintf("# about %s\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n  says: %q\n", name, name, wants[name]))
	}
	return strings.Join(docs, "---\n")
}

func (tn *tenant) claim() Claim {
	c := Claim{Object: "Work default/" + tn.name, Owner: tn.name, Dir: path("root/" + tn.name), Rank: Rank{Name: tn.name}, Stored: tn.stored, Shared: tn.shared}
	switch {
	case tn.unreadable:
		c.Kept = true
	case len(tn.wants) > 0:
		c.Wanted = files(tn.name, map[string]string{"f.yaml": objectFile(tn.wants)})
	}
	return c
}

// town is all tenants of one root.
type town struct {
	t       *testing.T
	tenants map[string]*tenant
}

// round does what reconcile does with a verdict.
func (tw *town) round() Verdict {
	names := slices.Sorted(maps.Keys(tw.tenants))
	root := Root{Path: path("root"), Policy: Share}
	for _, name := range names {
		root.Claims = append(root.Claims, tw.tenants[name].claim())
	}
	verdict := Check(root)
	for i, name := range names {
		tn := tw.tenants[name]
		if _, held := verdict.Held[i]; held || tn.unreadable {
			continue
		}
		tn.stored, tn.shared = root.Claims[i].Wanted, verdict.Shared[i]
		if cut, ok := verdict.Files[i]; ok {
			tn.stored = cut
		}
		if tn.wants == nil {
			delete(tw.tenants, name)
		}
	}
	return verdict
}

// objects returns what is in the store: each object and what it says. An object
// in two places is a failure.
func (tw *town) objects() map[string]string {
	tw.t.Helper()
	found := map[string]string{}
	for _, tn := range tw.tenants {
		for _, file := range tn.stored {
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
					tw.t.Fatalf("%s is in the store twice", name)
				}
				found[name] = says
			}
		}
	}
	return found
}

func newTown(t *testing.T, wants map[string]map[string]string) *town {
	t.Helper()
	tw := &town{t: t, tenants: map[string]*tenant{}}
	for name, objects := range wants {
		tw.tenants[name] = &tenant{name: name, wants: objects}
	}
	return tw
}

type says = map[string]string

func TestEqualObjectsAreSharedAndTheLastOwnerTakesThemAway(t *testing.T) {
	tw := newTown(t, map[string]map[string]string{"a": {"x": "1", "own-a": "1"}, "b": {"x": "1", "own-b": "1"}})
	if v := tw.round(); len(v.Held) > 0 || len(v.Findings) > 0 {
		t.Fatalf("held %v, found %v", v.Held, told(v.Findings))
	}
	if got, want := tw.objects(), (says{"x": "1", "own-a": "1", "own-b": "1"}); !maps.Equal(got, want) {
		t.Fatalf("the store has %v, want %v", got, want)
	}
	if got := tw.tenants["b"].shared; len(got) != 1 || !slices.Equal(got[0].Owners, []string{"a", "b"}) {
		t.Fatalf("b shares %v", got)
	}
	tw.tenants["a"].wants = nil
	tw.round()
	if got, want := tw.objects(), (says{"x": "1", "own-b": "1"}); !maps.Equal(got, want) {
		t.Fatalf("after a left the store has %v, want %v", got, want)
	}
	tw.tenants["b"].wants = nil
	tw.round()
	if got := tw.objects(); len(got) != 0 {
		t.Fatalf("after both left the store has %v", got)
	}
}

func TestAChangedCopyIsAConflictThatSaysWhatDiffers(t *testing.T) {
	for _, who := range []string{"a", "b"} {
		tw := newTown(t, map[string]map[string]string{"a": {"x": "1"}, "b": {"x": "1"}})
		tw.round()
		tw.tenants[who].wants = says{"x": "2"}
		v := tw.round()
		if len(v.Held) != 1 || len(v.Findings) != 1 || !strings.Contains(v.Findings[0].Message, `data.says is "2", not "1"`) {
			t.Fatalf("%s changed: held %v, found %v", who, v.Held, v.Findings)
		}
		if got := tw.objects(); got["x"] != "1" {
			t.Fatalf("%s changed: the store has %v", who, got)
		}
	}
}

func TestOwnersThatChangeAlikeChangeTheObject(t *testing.T) {
	tw := newTown(t, map[string]map[string]string{"a": {"x": "1"}, "b": {"x": "1"}, "c": {"y": "1"}})
	tw.round()
	tw.tenants["a"].wants, tw.tenants["b"].wants = says{"x": "2"}, says{"x": "2"}
	tw.tenants["d"] = &tenant{name: "d", wants: says{"y": "other"}}
	v := tw.round()
	if got := tw.objects(); got["x"] != "2" || len(v.Held) != 1 {
		t.Fatalf("the store has %v, held %v", got, v.Held)
	}
}

func TestAnOwnerCannotGiveUpWhatAnUnreadableOneShares(t *testing.T) {
	tw := newTown(t, map[string]map[string]string{"a": {"x": "1"}, "b": {"x": "1"}})
	tw.round()
	tw.tenants["b"].unreadable = true
	tw.tenants["a"].wants = nil
	tw.round()
	if got := tw.objects(); got["x"] != "1" || tw.tenants["a"] == nil {
		t.Fatalf("the store has %v", got)
	}
	tw.tenants["b"].unreadable = false
	tw.round()
	if got := tw.objects(); got["x"] != "1" || tw.tenants["a"] != nil {
		t.Fatalf("once b is back the store has %v", got)
	}
}

// TestSharedObjectMayBeInNoFile checks a store in which someone removed the file of a
// shared object, while none of the placements that share it is written.
func TestSharedObjectMayBeInNoFile(t *testing.T) {
	kept := func(name string) Claim {
		c := claim(name, nil, nil)
		c.Kept, c.Shared = true, []Shared{{Object: kustomize.NewID("v1", "ConfigMap", "default", "x"), Owners: []string{"a", "b"}}}
		return c
	}
	v := Check(Root{Path: path("root"), Policy: Share, Claims: []Claim{kept("a"), kept("b")}})
	if len(v.Held)+len(v.Findings)+len(v.Files) > 0 || len(v.Shared) != 2 {
		t.Errorf("held %v, files %v, shared %v, found %v", v.Held, v.Files, v.Shared, told(v.Findings))
	}
}

// TestSharedObjectInNoFileIsStillClaimed checks that an object which a kept placement
// shares, and which someone removed from the store by hand, is quarantined for others.
func TestSharedObjectInNoFileIsStillClaimed(t *testing.T) {
	kept := claim("a", nil, nil)
	kept.Kept, kept.Shared = true, []Shared{{Object: kustomize.NewID("v1", "ConfigMap", "default", "x"), Owners: []string{"a", "z"}}}
	v := Check(Root{Path: path("root"), Policy: Share, Claims: []Claim{kept, claim("b", []string{"x"}, nil)}})
	if got := told(v.Findings); v.Held[1] == "" || !slices.Equal(got, []string{"KS001 b/maps.yaml:1 with /:0"}) {
		t.Errorf("held %v, found %v", v.Held, got)
	}
}

// TestObjectOfKustomizationIsNotShared checks that what a kustomization makes conflicts
// with an equal object in a file, whoever comes first and whoever has a share in it.
func TestObjectOfKustomizationIsNotShared(t *testing.T) {
	nested := claim("a", nil, nil)
	nested.Wanted = files("a", map[string]string{"k/kustomization.yaml": "resources: [m.yaml]\n", "k/m.yaml": configMaps("x")})
	stored := nested
	stored.Stored = nested.Wanted
	staked := claim("b", nil, nil)
	staked.Kept, staked.Shared = true, []Shared{{Object: kustomize.NewID("v1", "ConfigMap", "default", "x"), Owners: []string{"a", "b"}}}
	for name, c := range map[string]struct {
		claims []Claim
		held   []int
		found  []string
	}{
		"first":                    {[]Claim{nested, claim("b", []string{"x"}, nil)}, []int{1}, []string{"KS001 b/maps.yaml:1 with a/k/kustomization.yaml:0"}},
		"later":                    {[]Claim{nested, claim("b", []string{"x"}, []string{"x"})}, []int{0}, []string{"KS001 a/k/kustomization.yaml:0 with b/maps.yaml:1"}},
		"an old record shares it":  {[]Claim{stored, staked}, nil, nil},
		"and a third one wants it": {[]Claim{stored, staked, claim("c", []string{"x"}, nil)}, []int{2}, []string{"KS001 c/maps.yaml:1 with a/k/kustomization.yaml:0"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := Check(Root{Path: path("root"), Policy: Share, Claims: c.claims})
			if held := slices.Sorted(maps.Keys(v.Held)); !slices.Equal(held, c.held) || !slices.Equal(told(v.Findings), c.found) {
				t.Errorf("held %v, found %v", v.Held, told(v.Findings))
			}
		})
	}
}

// TestNothingSharedIsEverLost plays many rounds of random changes: the store
// always builds, nobody's object vanishes while someone has a right to it, and
// when all have gone nothing is left.
func TestNothingSharedIsEverLost(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 6))
		tw := newTown(t, nil)
		for step := range 12 {
			tw.change(rng)
			before := tw.objects()
			expected := tw.rights(before)
			tw.round()
			after := tw.objects()
			for _, name := range expected {
				if _, there := after[name]; !there {
					t.Fatalf("seed %d, step %d: %s is lost: before %v, after %v", seed, step, name, before, after)
				}
			}
			if err := kustomize.Build(path("root"), tw.tree()); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
		}
		for _, tn := range tw.tenants {
			tn.unreadable, tn.wants = false, nil
		}
		tw.round()
		if len(tw.tenants) != 0 {
			t.Fatalf("seed %d: %d tenants are left", seed, len(tw.tenants))
		}
	}
}

// change lets some tenants come, go, change their wants or become unreadable.
func (tw *town) change(rng *rand.Rand) {
	for i := range 5 {
		name := fmt.Sprint("t", i)
		tn := tw.tenants[name]
		switch {
		case rng.IntN(3) > 0:
			continue
		case tn == nil:
			tn = &tenant{name: name}
			tw.tenants[name] = tn
		case tn.stored != nil && rng.IntN(4) == 0:
			tn.unreadable = !tn.unreadable
			continue
		case rng.IntN(4) == 0:
			tn.wants = nil
			continue
		}
		tn.wants = says{}
		for range 1 + rng.IntN(3) {
			tn.wants[fmt.Sprint("m", rng.IntN(4))] = strconv.Itoa(rng.IntN(2))
		}
	}
}

// rights returns what must still be there after the round: what is there, and is
// wanted by someone who is there, or shared by someone who cannot be asked.
func (tw *town) rights(before map[string]string) []string {
	var names []string
	for name := range before {
		for _, tn := range tw.tenants {
			_, wants := tn.wants[name]
			staked := slices.ContainsFunc(tn.shared, func(s Shared) bool { return s.Object.Name == name })
			if (wants && !tn.unreadable && (staked || tn.holds(name))) || (tn.unreadable && (staked || tn.holds(name))) {
				names = append(names, name)
			}
		}
	}
	return names
}

func (tn *tenant) holds(name string) bool {
	return slices.ContainsFunc(tn.stored, func(f File) bool { return strings.Contains(string(f.Content), "  name: "+name+"\n") })
}

func (tw *town) tree() []tree.File {
	var all []tree.File
	for _, tn := range tw.tenants {
		for _, file := range tn.stored {
			below, _ := file.Path.RelativeTo(path("root"))
			all = append(all, tree.File{Path: below, Content: file.Content})
		}
	}
	return all
}
