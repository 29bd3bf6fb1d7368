package dedupe

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

type located struct {
	*entry
	root  tree.Path
	owner string
}

// CheckCluster returns findings about objects of the API server that are in several roots, or in
// one root with several IDs. The verdicts must be those of the last checks with one CheckCache, or
// of checks without one.
func CheckCluster(verdicts []Verdict) []finding.Finding {
	if len(verdicts) == 0 || verdicts[0].decided.root.CheckCache.clusterFits(verdicts) {
		return nil
	}
	scopes := scopesOf(verdicts)
	groups := map[apiObject][]located{}
	for _, verdict := range verdicts {
		root := verdict.decided.root
		for id, entries := range verdict.decided.index.all() {
			if id.isPath() {
				continue
			}
			key := apiObjectOf(id.object, scopes)
			for _, e := range entries {
				if !e.elsewhere {
					groups[key] = append(groups[key], located{e, root.Path, root.ownerOf(e)})
					break // further entries are shared, or conflict and are reported already
				}
			}
		}
	}
	var findings []finding.Finding
	for _, group := range groups {
		slices.SortFunc(group, func(a, b located) int {
			return cmp.Or(tree.Compare(a.root, b.root), compareEntries(a.entry, b.entry), kustomize.Compare(a.id.object, b.id.object))
		})
		for _, other := range group[1:] {
			findings = append(findings, sameForTheServer(group[0], other))
		}
	}
	finding.Sort(findings)
	return findings
}

func scopesOf(verdicts []Verdict) map[kindOf]int {
	var defined clusterIndex
	add := func(entries []*entry) {
		for _, e := range entries {
			defined.countScope(e, 1)
		}
	}
	for _, verdict := range verdicts {
		for _, entries := range verdict.decided.index.all() {
			add(entries)
		}
		for _, claim := range verdict.decided.claims {
			add(claim.wanted)
		}
	}
	return defined.scopes
}

func sameForTheServer(first, other located) finding.Finding {
	f := finding.Finding{
		Place:   other.place,
		Related: []finding.Related{{Place: first.place, Message: first.owner}},
	}
	a, b := first.id.object, other.id.object
	f.Subject = b.String()
	switch {
	case first.root != other.root:
		f.Rule = finding.OtherRoot()
		f.Message = fmt.Sprintf("%s is in %s and in %s", b, first.root, other.root)
	case a.APIVersion != b.APIVersion:
		f.Rule = finding.OtherVersion()
		f.Message = fmt.Sprintf("%s is there as %s and as %s", b, a.APIVersion, b.APIVersion)
	default:
		f.Rule = finding.OtherNamespace()
		f.Message = fmt.Sprintf("%s %s lives outside namespaces and is there with %s and with %s", b.Kind, b.Name, a.Namespace, b.Namespace)
	}
	return f
}
