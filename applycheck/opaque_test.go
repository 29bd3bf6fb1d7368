package applycheck

import (
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
)

func TestFilesOfAKustomizationAreNotJudged(t *testing.T) {
	const kustomization = "resources: [a.yaml]\npatches: [{path: patch.yaml}]\n"
	faulty := strings.Replace(deployment, "replicas: 1", "replicas: three", 1)
	for _, test := range []struct {
		name string
		// own are the files of the claim; foreign are files that belong to no placement.
		own, foreign map[string]string
		want         int
	}{
		{"none", map[string]string{"resources/a/a.yaml": faulty}, nil, 1},
		{"the claim's own", map[string]string{"resources/a/a.yaml": faulty, "resources/a/kustomization.yaml": kustomization}, nil, 0},
		{"another directory of the claim", map[string]string{"resources/a/a.yaml": faulty, "resources/a/b/kustomization.yaml": kustomization}, nil, 1},
		{"of people, above the claim", map[string]string{"resources/a/a.yaml": faulty}, map[string]string{"resources/kustomization.yaml": kustomization}, 0},
		{"of people, beside the claim", map[string]string{"resources/a/a.yaml": faulty}, map[string]string{"resources/b/kustomization.yaml": kustomization}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := rootOf(t, "resources", shop)
			claim := dedupe.Claim{Object: "Work default/x", Owner: "x"}
			for path, content := range test.own {
				claim.Wanted = append(claim.Wanted, fileOf(t, path, content))
			}
			for path, content := range test.foreign {
				root.Foreign = append(root.Foreign, fileOf(t, path, content))
			}
			root.Claims = append(root.Claims, claim)
			in := Input{Cluster: clusterOf(t, "", profileOf(t, "default")), Roots: []dedupe.Root{root}, Memory: &Memory{}, State: &State{}}
			for range 2 {
				if got := CheckClaims(in)[0]; len(got.Quarantined) != test.want {
					t.Errorf("quarantined: %v, findings %v", got.Quarantined, describe(got))
				}
			}
			_, quarantined := CheckRoots(in)[0].Quarantined[0]
			if quarantined != (test.name == "none") {
				t.Errorf("the other claim is quarantined: %v", quarantined)
			}
		})
	}
}
