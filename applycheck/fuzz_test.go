package applycheck

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
)

func FuzzCheckWithAnyProfile(f *testing.F) {
	text, err := profileOf(f, "default").Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("kind: ClusterProfile\nkinds: [{}]\n"))
	f.Add(append(text, "definitions:\n- name: shops.example.com\n  spec: {group: example.com, names: {kind: Shop}, scope: Namespaced, versions: [{name: v1, served: true, schema: {openAPIV3Schema: {type: [0]}}}]}\n"...))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := profile.Parse(content)
		if err != nil {
			return
		}
		if cluster, err := NewCluster("", p); err == nil {
			CheckRoots(Input{Cluster: cluster, Roots: []dedupe.Root{rootOf(t, "resources", deployment, shop)}})
			CheckClaims(Input{Cluster: cluster, Roots: []dedupe.Root{rootOf(t, "resources", deployment, shop)}})
		}
	})
}

func FuzzCheckOfAnyContent(f *testing.F) {
	for _, content := range []string{deployment, definition + "---" + shop, job, statefulSet, shopNamespace, release, "kind: List\napiVersion: v1\nitems: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]\n"} {
		f.Add(content, deployment)
		f.Add(definition, content)
	}
	f.Fuzz(func(t *testing.T, wanted, stored string) {
		root := rootOf(t, "resources", definition)
		root.Claims = append(root.Claims, claimOf(t, "resources/a/a.yaml", wanted, stored))
		for _, version := range []string{"", "1.33"} {
			in := Input{Cluster: clusterOf(t, version, nil), Roots: []dedupe.Root{root}}
			for _, verdicts := range [][]Verdict{CheckClaims(in), CheckRoots(in)} {
				for at := range verdicts[0].Quarantined {
					if at < 0 || at >= len(root.Claims) || len(verdicts[0].Findings) == 0 {
						t.Error("a claim is quarantined without a finding")
					}
				}
			}
		}
	})
}
