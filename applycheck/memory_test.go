package applycheck

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func TestGenerationsKeepTheNewestUpToTheLimit(t *testing.T) {
	var g generations[int, string]
	const limit = 100
	for i := range 10 * limit {
		g.put(i, "x", 1, limit)
		if n := len(g.newer) + len(g.older); n > limit {
			t.Fatal(n, "entries")
		}
		if _, there := g.get(i - limit/4); i > limit && !there {
			t.Fatal(i, "a new entry is lost")
		}
	}
	if _, there := g.get(1); there {
		t.Error("the oldest entry is still there")
	}
	g.put(-1, "large", 5*limit, limit)
	if _, there := g.get(-1); !there {
		t.Error("an entry above the limit is lost at once")
	}
}

func TestMemoryIsBoundedByTheNumberOfObjects(t *testing.T) {
	m := &Memory{}
	const objects = 1000
	for i := range 3 * maxRemembered / objects {
		facts := &fileFacts{objects: make([]objectFacts, objects)}
		m.files.put(digest{byte(i), byte(i >> 8)}, facts, 1+objects, maxRemembered)
	}
	if n := len(m.files.newer) + len(m.files.older); n > maxRemembered/objects {
		t.Errorf("%d files of %d objects are kept", n, objects)
	}
}

func TestVerdictDoesNotDependOnMemory(t *testing.T) {
	memory, state, cache := &Memory{}, &State{}, &kustomize.Cache{}
	for round, content := range []string{deployment, strings.Replace(deployment, "replicas: 1", "replicas: a", 1), definition + "---" + shop, strings.Replace(definition, "minimum: 1", "minimum: 5", 1) + "---" + shop, deployment} {
		root := rootOf(t, "resources", content, shop, deployment)
		root.Cache = cache
		root.Claims[2].Stored = rootOf(t, "resources", "", "", strings.ReplaceAll(deployment, "app: web", "app: b")).Claims[2].Wanted
		in := Input{Cluster: clusterOf(t, "1.36", nil), Roots: []dedupe.Root{root}}
		want := CheckClaims(in)
		in.Memory, in.State = memory, state
		for range 2 {
			if diff := cmp.Diff(want, CheckClaims(in)); diff != "" {
				t.Errorf("round %d: %s", round, diff)
			}
		}
	}
}

func manyClaims(t testing.TB, n int) dedupe.Root {
	t.Helper()
	root := rootOf(t, "resources")
	root.Cache = &kustomize.Cache{}
	for i := range n {
		content := strings.NewReplacer("name: web", fmt.Sprintf("name: web-%d", i), "namespace: shop", "namespace: default").Replace(deployment)
		path := fmt.Sprintf("resources/%d/a.yaml", i)
		claim := claimOf(t, path, content, content)
		claim.Rank.Name = path
		root.Claims = append(root.Claims, claim)
	}
	return root
}

func BenchmarkCheckOf8000Objects(b *testing.B) {
	root := manyClaims(b, 8000)
	var contents [][]byte
	for i := range root.Claims {
		contents = append(contents, root.Claims[i].Wanted[0].Content)
	}
	root.Cache.Load(contents) // as dedupe does before a check
	b.ResetTimer()
	for b.Loop() {
		CheckClaims(Input{Cluster: clusterOf(b, "1.36", nil), Roots: []dedupe.Root{root}, Memory: &Memory{}})
	}
}

func BenchmarkOneChangedFileAmong8000(b *testing.B) {
	root := manyClaims(b, 8000)
	in := Input{Cluster: clusterOf(b, "1.36", nil), Roots: []dedupe.Root{root}, Memory: &Memory{}, State: &State{}}
	CheckClaims(in)
	n := 0
	for b.Loop() {
		n++
		root.Claims[7].Wanted = []dedupe.File{fileOf(b, "resources/7/a.yaml", strings.NewReplacer("replicas: 1", fmt.Sprintf("replicas: %d", n), "namespace: shop", "namespace: default").Replace(deployment))}
		CheckClaims(in)
		CheckRoots(in)
	}
}
