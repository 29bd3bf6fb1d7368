package dedupe

import "github.com/kratix-schedule/kratix-schedule/kustomize"

// Check decides which claims may be written. [Rank] decides between conflicting claims. A
// quarantined claim keeps its stored files.
func Check(root Root) Verdict {
	if root.Cache == nil {
		root.Cache = &kustomize.Cache{}
	}
	x := root.CheckCache.root(&root)
	x.update(&root)
	if x.fits() && len(root.Obstacles) == 0 {
		return Verdict{
			Findings: append(x.allNotes(root.Claims), checkCost(&root, x.counts)...),
			decided:  &decision{root: &root, index: x.index, trivial: true},
		}
	}
	p := parse(&root, x)
	found := confirmation{states: p.states, failed: map[*directory]bool{}}
	for {
		a := admit(p, found.states)
		var again bool
		if found, again = confirm(a, found); !again {
			return report(a, found)
		}
	}
}
