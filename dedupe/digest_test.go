package dedupe

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

type digested struct {
	roots [2]Root
	rng   *rand.Rand
}

func (d *digested) randomChanges() [2]Root {
	var changed [2]Root
	for at := range d.roots {
		changed[at].Path = d.roots[at].Path
		for range d.rng.IntN(3) {
			name := fmt.Sprint("c", d.rng.IntN(6))
			if slices.ContainsFunc(changed[at].Claims, func(c Claim) bool { return c.Rank.Name == name }) {
				continue
			}
			content := someContents[d.rng.IntN(len(someContents))]
			if d.rng.IntN(2) == 0 {
				content = testkit.ConfigMaps(fmt.Sprint("own-", d.rng.IntN(30)))
			}
			dir := changed[at].Path.Join(testkit.Path([]string{name, name, name, "shared"}[d.rng.IntN(4)]))
			file := files(name, map[string]string{"f.yaml": content})
			file[0].Path = dir.Join(testkit.Path("f.yaml"))
			changed[at].Claims = append(changed[at].Claims, Claim{Object: "Work default/" + name, Owner: name, Dir: dir, Rank: Rank{Name: name}, Wanted: file})
		}
	}
	return changed
}

func (d *digested) withChanges(changed [2]Root) [2]Root {
	all := d.roots
	for at := range all {
		all[at].Claims = slices.DeleteFunc(slices.Clone(all[at].Claims), func(c Claim) bool {
			return slices.ContainsFunc(changed[at].Claims, func(other Claim) bool { return other.Rank.Name == c.Rank.Name })
		})
		all[at].Claims = append(all[at].Claims, changed[at].Claims...)
	}
	return all
}

func check(roots [2]Root, memory *CheckCache) (fits bool) {
	var verdicts []Verdict
	fits = true
	for _, root := range roots {
		root.CheckCache = memory
		verdict := Check(root)
		verdicts = append(verdicts, verdict)
		fits = fits && len(verdict.Quarantined)+len(verdict.Findings)+len(verdict.Shared)+len(verdict.Files) == 0
	}
	return len(CheckCluster(verdicts)) == 0 && fits
}

func TestDigestAgreesWithCheck(t *testing.T) {
	taken, refused, cautious := 0, 0, 0
	for seed := range testkit.Seeds(20) {
		d := &digested{rng: rand.New(rand.NewPCG(seed, 3)), roots: [2]Root{{Path: testkit.Path("root/a")}, {Path: testkit.Path("root/b")}}}
		if d.rng.IntN(2) == 0 {
			d.roots[0].Foreign = files("x", map[string]string{"theirs.yaml": testkit.ConfigMaps("own-1")})
			d.roots[0].Foreign[0].Path = testkit.Path("root/a/theirs.yaml")
		}
		memory := &CheckCache{}
		if !check(d.roots, memory) {
			t.Fatal("the roots are not calm at first")
		}
		digest := memory.Digest()
		for step := range 30 {
			changed := d.randomChanges()
			after := d.withChanges(changed)
			fits := check(after, &CheckCache{})
			switch took := digest.Replace(changed[:]); {
			case took && !fits:
				t.Fatalf("seed %d step %d: taken, and it does not fit", seed, step)
			case took:
				taken++
				d.roots = after
			case fits:
				cautious++
			default:
				refused++
			}
		}
		if again := (&CheckCache{}); !check(d.roots, again) || !equal(again.Digest(), digest) {
			t.Fatalf("seed %d: a digest built again differs", seed)
		}
	}
	if taken < 80 || refused < 80 || cautious > taken/3 {
		t.Errorf("%d taken, %d refused, %d refused that fit", taken, refused, cautious)
	}
}

func equal(a, b *Digest) bool {
	if len(a.owners) != len(b.owners) {
		return false
	}
	for key, owner := range a.owners {
		if b.owners[key] != owner {
			return false
		}
	}
	for root := range a.counts {
		if a.counts[root] != b.counts[root] {
			return false
		}
	}
	return true
}

func TestConflictsHaveNoDigest(t *testing.T) {
	memory := &CheckCache{}
	root := Root{Path: testkit.Path("root"), Claims: []Claim{claim("a", []string{"x"}, nil), claim("b", []string{"x"}, nil)}, CheckCache: memory}
	CheckCluster([]Verdict{Check(root)})
	if memory.Digest() != nil {
		t.Error("there is one")
	}
	root.Claims = root.Claims[:1]
	CheckCluster([]Verdict{Check(root)})
	if memory.Digest() == nil {
		t.Error("there is none once nothing conflicts")
	}
}

func TestDigestRefusesCostlyRoots(t *testing.T) {
	memory := &CheckCache{}
	root := Root{Path: testkit.Path("root"), CheckCache: memory}
	CheckCluster([]Verdict{Check(root)})
	digest := memory.Digest()
	digest.counts[root.Path] = measuredObjects * 2
	root.Claims = []Claim{claim("a", []string{"x"}, nil)}
	if digest.Replace([]Root{root}) {
		t.Error("a root that takes long to build is taken")
	}
}
