package applycheck

import (
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/parallel"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// claimState contains the facts about a claim. They are valid until its files change.
type claimState struct {
	claimFiles
	name string
	// opaque means that one of the claim's files is a kustomization.
	opaque                   bool
	wantedFiles, storedFiles []dedupe.File
	// needs are the numbers of the kinds and namespaces of the wanted objects, as in State.numbers.
	needs []int
	// providesWanted and providesStored mean that the files contain an object that others may
	// depend on.
	providesWanted, providesStored bool
	// faults are the faults that CheckClaims found in the wanted files. checked identifies the data
	// against which they were checked, and is nil before the first check.
	faults  []fileFaults
	checked *checkedAgainst
}

// checkedAgainst identifies the data, other than files, that faults depend on.
type checkedAgainst struct {
	cluster     *Cluster
	definitions digest
}

type need struct {
	schema.GroupVersionKind
	namespace string
}

type rootState struct {
	// ignored is the root's Ignored at the last check.
	ignored *kustomize.Ignored
	// built contains the directories of the kustomizations among the foreign files.
	built  []tree.Path
	byName map[string]*claimState
	// order contains the claims in the order of the last check.
	order []*claimState
}

// states returns the states of the claims of a root. It reads only the files of changed claims.
func (c *check) states(root *dedupe.Root, built []tree.Path) []*claimState {
	m := c.State.roots[root.Path]
	if m == nil || !m.ignored.Equal(root.Ignored) || !slices.Equal(m.built, built) {
		m = &rootState{ignored: root.Ignored, built: built, byName: map[string]*claimState{}}
		c.State.roots[root.Path] = m
	}
	order := make([]*claimState, len(root.Claims))
	var changed []int
	for i := range root.Claims {
		name := stateName(root, i)
		if i < len(m.order) && m.order[i].name == name {
			order[i] = m.order[i]
		} else {
			order[i] = m.byName[name]
		}
		if order[i] == nil || !order[i].isCurrent(&root.Claims[i]) {
			changed = append(changed, i)
		}
	}
	root.Cache.Load(c.unread(root, changed, built))
	parallel.Each(len(changed), func(n int) {
		i := changed[n]
		order[i] = c.newState(root, &root.Claims[i], stateName(root, i), built)
	})
	for _, i := range changed {
		order[i].needs = c.State.needsOf(order[i].wanted)
		m.byName[order[i].name] = order[i]
	}
	m.order = order
	if len(m.byName) > len(order) {
		clear(m.byName)
		for _, s := range order {
			m.byName[s.name] = s
		}
	}
	return order
}

func (c *check) unread(root *dedupe.Root, claims []int, built []tree.Path) (contents [][]byte) {
	for _, i := range claims {
		for _, files := range [][]dedupe.File{intended(&root.Claims[i]), applied(&root.Claims[i])} {
			some, _ := readable(root, files, built)
			for _, file := range some {
				if _, known := c.Memory.facts(c.Memory.digestOf(file.Content)); !known {
					contents = append(contents, file.Content)
				}
			}
		}
	}
	return contents
}

// stateName returns the name of a claim's rank or, if that is empty, the index of the claim.
func stateName(root *dedupe.Root, claim int) string {
	if name := root.Claims[claim].Rank.Name; name != "" {
		return name
	}
	return strconv.Itoa(claim)
}

func intended(claim *dedupe.Claim) []dedupe.File {
	if claim.Kept {
		return claim.Stored
	}
	return claim.Wanted
}

// applied returns the files of a claim that the cluster has, as far as this is known.
func applied(claim *dedupe.Claim) []dedupe.File {
	if claim.Applied != nil {
		return claim.Applied
	}
	return claim.Stored
}

func (s *claimState) isCurrent(claim *dedupe.Claim) bool {
	return sameFiles(s.wantedFiles, intended(claim)) && sameFiles(s.storedFiles, applied(claim))
}

func (c *check) newState(root *dedupe.Root, claim *dedupe.Claim, name string, built []tree.Path) *claimState {
	s := &claimState{name: name, wantedFiles: intended(claim), storedFiles: applied(claim)}
	var storedOpaque bool
	s.stored, storedOpaque = c.read(root, s.storedFiles, built)
	s.wanted, s.opaque = c.read(root, s.wantedFiles, built)
	s.opaque = s.opaque || storedOpaque
	s.providesWanted, s.providesStored = provides(s.wanted), provides(s.stored)
	return s
}

func (s *State) needsOf(files []*checkedFile) []int {
	var needs []int
	seen := map[int]bool{}
	for _, file := range files {
		for i := range file.facts.objects {
			o := &file.facts.objects[i]
			if n := s.need(need{o.GroupVersionKind, o.namespace}); !seen[n] {
				seen[n] = true
				needs = append(needs, n)
			}
		}
	}
	return needs
}

func (s *State) need(of need) int {
	n, known := s.numbers[of]
	if !known {
		n = len(s.numbers)
		s.numbers[of] = n
	}
	return n
}

func provides(files []*checkedFile) bool {
	for _, file := range files {
		for i := range file.facts.objects {
			if file.facts.objects[i].provides() {
				return true
			}
		}
	}
	return false
}

// sameFiles reports whether two lists have the same files. It compares the addresses of contents,
// not their bytes.
func sameFiles(a, b []dedupe.File) bool {
	if len(a) != len(b) {
		return false
	}
	if len(a) == 0 || &a[0] == &b[0] {
		return true
	}
	for i := range a {
		x, y := &a[i], &b[i]
		if len(x.Content) != len(y.Content) || len(x.Content) > 0 && &x.Content[0] != &y.Content[0] || x.Path != y.Path || x.Place != y.Place {
			return false
		}
	}
	return true
}
