package applycheck

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
)

func TestWarningsThatSayTheSameAreOneFinding(t *testing.T) {
	const unset = "no namespace is set, and neither Flux nor the API server chooses one, unless the Flux Kustomization has a targetNamespace"
	object := func(name, namespace string) string {
		return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: %q}\n---\n", name, namespace)
	}
	var many string
	for i := range 7 {
		many += object(fmt.Sprint("x", i), "")
	}
	for _, test := range []struct {
		name  string
		files []string
		want  []string
	}{
		{"one", []string{object("a", "")}, []string{"KS103 warning 1: ConfigMap a: " + unset}},
		{"in two files", []string{object("a", ""), object("b", "")}, []string{"KS103 warning 1: 2 objects: " + unset + ": ConfigMap a in 0.yaml, ConfigMap b in 1.yaml"}},
		{"of two kinds", []string{object("a", "shop") + object("b", "") + object("c", "shop")}, []string{
			`KS103 warning 1: 2 objects: no file of the Destination creates the namespace "shop": ConfigMap shop/a in 0.yaml, ConfigMap shop/c in 0.yaml`,
			"KS103 warning 5: ConfigMap b: " + unset,
		}},
		{"many", []string{many}, []string{"KS103 warning 1: 7 objects: " + unset + ": ConfigMap x0 in 0.yaml, ConfigMap x1 in 0.yaml, ConfigMap x2 in 0.yaml, ConfigMap x3 in 0.yaml and 3 more"}},
		{"where Flux runs", []string{object("a", "flux-system")}, []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := rootOf(t, "resources")
			claim := dedupe.Claim{Object: "Work default/a", Owner: "a"}
			for i, content := range test.files {
				claim.Wanted = append(claim.Wanted, fileOf(t, fmt.Sprintf("resources/a/%d.yaml", i), content))
			}
			root.Claims = []dedupe.Claim{claim}
			v := CheckRoots(Input{Cluster: clusterOf(t, "1.36", nil), Roots: []dedupe.Root{root}})[0]
			if diff := cmp.Diff(test.want, describe(v)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFindingsOfAClaimAreBounded(t *testing.T) {
	var errors, warnings string
	for i := range maxFindings + 20 {
		errors += fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: X%d, namespace: default}\n---\n", i)
		warnings += fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x%d, namespace: n%d}\n---\n", i, i)
	}
	in := Input{Cluster: clusterOf(t, "1.36", nil), Roots: []dedupe.Root{rootOf(t, "resources", errors), rootOf(t, "more", warnings)}}
	for _, v := range []Verdict{CheckClaims(in)[0], CheckRoots(in)[1]} {
		last := v.Findings[len(v.Findings)-1].Message
		if len(v.Findings) != maxFindings || !strings.Contains(last, "; 20 more ") {
			t.Errorf("%d findings; the last is %q", len(v.Findings), last)
		}
	}
}
