package dedupe

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// apiObject is an object as the API server knows it: without a version.
type apiObject struct{ group, kind, namespace, name string }

// kindOf names a kind in a group.
type kindOf struct{ group, kind string }

// present is an object that lies in a root.
type present struct {
	*entry
	root  tree.Path
	owner string
}

// CheckCluster compares what lies in the roots of one cluster after Check: it
// reports objects that kustomize takes for two and the API server for one. The
// verdicts must be of one Memory's last checks, or of none.
func CheckCluster(verdicts []Verdict) []finding.Finding {
	if len(verdicts) == 0 || verdicts[0].decided.root.Memory.settled(verdicts) {
		return nil
	}
	scopes := map[kindOf]bool{}
	for _, verdict := range verdicts {
		verdict.decided.learnScopes(scopes)
	}
	groups := map[apiObject][]present{}
	for _, verdict := range verdicts {
		s := verdict.decided
		for id, entries := range s.index.all() {
			if id.isPath() {
				continue
			}
			key := apiKey(id.object, func(kind kindOf) bool { return scopes[kind] })
			for _, e := range entries {
				if !e.stake {
					groups[key] = append(groups[key], present{e, s.root.Path, s.owner(e)})
					break // further ones are a conflict that is reported, or shared
				}
			}
		}
	}
	var findings []finding.Finding
	for _, group := range groups {
		slices.SortFunc(group, func(a, b present) int {
			return cmp.Or(tree.Compare(a.root, b.root), compareEntries(a.entry, b.entry), kustomize.Compare(a.id.object, b.id.object))
		})
		for _, other := range group[1:] {
			findings = append(findings, sameForTheServer(group[0], other))
		}
	}
	finding.Sort(findings)
	return findings
}

// learnScopes notes the custom kinds that live outside namespaces, wherever
// they are defined: in what is there after the round and in what is held back.
func (s *session) learnScopes(clusterScoped map[kindOf]bool) {
	learn := func(entries []*entry) {
		for _, e := range entries {
			if e.defines != nil && e.defines.ClusterScoped {
				clusterScoped[kindOf{e.defines.Group, e.defines.Kind}] = true
			}
		}
	}
	for _, entries := range s.index.all() {
		learn(entries)
	}
	for _, parsed := range s.parsed {
		learn(parsed.wanted)
	}
}

// apiKey returns the object that the API server knows by an ID.
func apiKey(id kustomize.ID, isClusterScoped func(kindOf) bool) apiObject {
	key := apiObject{id.Group(), id.Kind, id.Scope(), id.Name}
	if isClusterScoped(kindOf{key.group, key.kind}) {
		key.namespace = ""
	}
	return key
}

func sameForTheServer(first, other present) finding.Finding {
	f := finding.Finding{
		Place:   other.place,
		Related: []finding.Related{{Place: first.place, Message: first.owner}},
	}
	a, b := first.id.object, other.id.object
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

// What kustomize's build costs, as measured: the time grows with the square.
const (
	measuredObjects = 8_000
	measuredSeconds = 14
	slowSeconds     = 30
)

// checkCost returns a finding about a root that takes kustomize long to build.
func (s *session) checkCost(objects, bytes int) []finding.Finding {
	seconds := buildSeconds(objects)
	if seconds < slowSeconds {
		return nil
	}
	return []finding.Finding{{
		Rule: finding.SlowBuild(), Place: finding.Place{File: s.root.Path.String()},
		Message: fmt.Sprintf("%d objects in %.1f MiB; one build takes Flux about %d s", objects, float64(bytes)/(1<<20), seconds),
	}}
}

// buildSeconds returns what one build of so many objects takes.
func buildSeconds(objects int) int {
	return objects * objects / (measuredObjects * measuredObjects / measuredSeconds)
}
