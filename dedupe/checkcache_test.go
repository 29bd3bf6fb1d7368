package dedupe

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func FuzzMemory(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, uint8(0))
	f.Add([]byte{0x10, 0x20, 0x90, 0x11, 0x80, 0x12, 0x13, 0x90}, uint8(1))
	f.Fuzz(func(t *testing.T, steps []byte, policy uint8) {
		w := &twoRoots{t: t, roots: [2]Root{{Path: testkit.Path("root/a")}, {Path: testkit.Path("root/b")}}}
		for _, step := range steps[:min(len(steps), 64)] {
			w.changeAtRandom(step)
			w.compare(Policies()[int(policy)%len(Policies())])
		}
	})
}

func TestCheckCacheDoesNotChangeResults(t *testing.T) {
	testkit.Slow(t)
	for seed := range testkit.Seeds(40) {
		rng := rand.New(rand.NewPCG(seed, 8))
		w := &twoRoots{t: t, roots: [2]Root{{Path: testkit.Path("root/a")}, {Path: testkit.Path("root/b")}}}
		for range 25 {
			w.changeAtRandom(byte(rng.UintN(256)))
			w.compare(Policies()[rng.IntN(len(Policies()))])
		}
	}
}

type twoRoots struct {
	t      *testing.T
	roots  [2]Root
	memory CheckCache
	cache  kustomize.Cache
	steps  int
}

var someContents = []string{
	testkit.ConfigMaps("x"), testkit.ConfigMaps("y"), testkit.ConfigMaps("x", "y"), testkit.ConfigMaps("z"), "", "no: object\n", clusterThing, thing("v1", "n"),
	thing("v2", "n"), thing("v1", "m"), "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec: text\n", testkit.ConfigMaps("x", "x"),
	"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: x}\n",
}

func (w *twoRoots) changeAtRandom(step byte) {
	w.steps++
	root := &w.roots[step&1]
	name := fmt.Sprint("c", step>>1&3)
	content := someContents[int(step>>3)%len(someContents)]
	file := files(name, map[string]string{"f.yaml": content})
	file[0].Path = root.Path.Join(testkit.Path(name + "/f.yaml"))
	at := -1
	for i := range root.Claims {
		if root.Claims[i].Rank.Name == name {
			at = i
		}
	}
	switch {
	case w.steps%7 == 3:
		root.Foreign = []File{file[0]}
		root.Foreign[0].Path = root.Path.Join(testkit.Path("foreign.yaml"))
	case w.steps%11 == 5:
		root.Foreign = files(name, map[string]string{"kustomization.yaml": "namePrefix: p-\n", "m.yaml": testkit.ConfigMaps("x")})
		for i := range root.Foreign {
			root.Foreign[i].Path = root.Path.Join(testkit.Path("dir/" + root.Foreign[i].Path.Base()))
		}
	case at < 0:
		c := Claim{Object: "Work default/" + name, Owner: name, Dir: root.Path.Join(testkit.Path(name)), Rank: Rank{Name: name}, Wanted: file}
		root.Claims = append([]Claim{c}, root.Claims...)
	case step&0x80 != 0 && w.steps%3 == 0:
		root.Claims = append(root.Claims[:at:at], root.Claims[at+1:]...)
	case w.steps%5 == 0:
		root.Claims[at].Stored, root.Claims[at].Kept = file, !root.Claims[at].Kept
	default:
		root.Claims[at].Wanted = file
	}
}

func (w *twoRoots) compare(policy Policy) {
	w.t.Helper()
	var with, without []Verdict
	for _, root := range w.roots {
		root.Policy, root.Cache = policy, &w.cache
		without = append(without, Check(root))
		root.CheckCache = &w.memory
		with = append(with, Check(root))
	}
	w.cache.Sweep()
	for i := range with {
		a, b := with[i], without[i]
		if fmt.Sprint(a.Quarantined) != fmt.Sprint(b.Quarantined) || !reflect.DeepEqual(details(a), details(b)) || !sameCuts(a, b) {
			w.t.Fatalf("step %d, root %d, %s: with a memory\n%v\n%v\nwithout\n%v\n%v", w.steps, i, policy, a.Quarantined, details(a), b.Quarantined, details(b))
		}
	}
	if a, b := summaries(CheckCluster(with)), summaries(CheckCluster(without)); !reflect.DeepEqual(a, b) {
		w.t.Fatalf("step %d: in the cluster, with a memory\n%v\nwithout\n%v", w.steps, a, b)
	}
}

func details(v Verdict) []string {
	lines := summaries(v.Findings)
	for _, f := range v.Findings {
		lines = append(lines, f.Message+"|"+f.Flux+"|"+f.Fix)
	}
	return lines
}

func sameCuts(a, b Verdict) bool {
	return fmt.Sprint(a.Shared) == fmt.Sprint(b.Shared) && fmt.Sprint(a.Files) == fmt.Sprint(b.Files)
}

func TestIndexedObjectTakesLessThanOneKiB(t *testing.T) {
	const objects = 20_000
	root := largeRoot(objects)
	before := heap()
	root.CheckCache = &CheckCache{}
	Check(root)
	perObject := (heap() - before) / objects
	t.Logf("%d bytes an object", perObject)
	if perObject > 1024 {
		t.Errorf("%d bytes an object", perObject)
	}
	runtime.KeepAlive(root)
}

func TestOneChangeIsReadAlone(t *testing.T) {
	root := largeRoot(100)
	root.CheckCache, root.Cache = &CheckCache{}, &kustomize.Cache{}
	Check(root)
	root.Cache = &kustomize.Cache{}
	root.Claims[50].Wanted = files("other", map[string]string{"f.yaml": testkit.ConfigMaps("other")})
	if v := Check(root); !v.decided.trivial || len(v.Findings) > 0 {
		t.Errorf("found %v", v.Findings)
	}
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func TestCheckCacheRecordsTheScopeOfAKind(t *testing.T) {
	root := Root{Path: testkit.Path("root"), CheckCache: &CheckCache{}, Claims: []Claim{bringer("a", thing("v1", "n")), bringer("b", thing("v1", "m"))}}
	withDefinition := append(root.Claims[:2:2], bringer("c", clusterThing))
	for step, c := range []struct {
		claims []Claim
		found  int
	}{{root.Claims, 0}, {withDefinition, 1}, {root.Claims, 0}} {
		root.Claims = c.claims
		v := Check(root)
		if found := CheckCluster([]Verdict{v}); len(found) != c.found || !v.decided.trivial {
			t.Errorf("step %d: found %v", step, found)
		}
	}
}

func TestNothingIsDecidedOnceConflictIsGone(t *testing.T) {
	root := Root{Path: testkit.Path("root"), CheckCache: &CheckCache{}, Claims: []Claim{claim("a", []string{"x"}, nil), claim("b", []string{"x"}, nil)}}
	if v := Check(root); len(v.Quarantined) != 1 || v.decided.trivial {
		t.Fatalf("held %v", v.Quarantined)
	}
	root.Claims = root.Claims[:1]
	if v := Check(root); len(v.Quarantined) > 0 || !v.decided.trivial {
		t.Errorf("held %v, though b is gone", v.Quarantined)
	}
}
