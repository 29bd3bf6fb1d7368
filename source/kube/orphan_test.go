package kube_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

func TestWorkPlacementWithoutWorkIsReported(t *testing.T) {
	const owner = `,"ownerReferences":[{"apiVersion":"platform.kratix.io/v1alpha1","kind":"Work","name":"gone","uid":"x"}]`
	for name, test := range map[string]struct {
		more     string
		contents bool
		want     []kratix.Key
	}{
		"an orphan":                              {"", true, []kratix.Key{{Namespace: "default", Name: "gone"}}},
		"another owner":                          {`,"ownerReferences":[{"kind":"Promise","name":"a","uid":"x"}]`, true, []kratix.Key{{Namespace: "default", Name: "gone"}}},
		"one that the garbage collector deletes": {owner, true, nil},
		"one that is being deleted":              {`,"deletionTimestamp":"2026-01-31T12:00:00Z","finalizers":["x"]`, true, nil},
		"one of no Work":                         {`,"labels":{}`, true, nil},
		"one that this program will delete":      {"", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.put("works", workJSON("a", ""))
			a.put("works", workJSON("leaves", `,"deletionTimestamp":"2026-01-31T12:00:00Z","finalizers":["x"]`))
			for _, placed := range []string{"a", "leaves"} {
				a.put("workplacements", placementJSON(placed, "", ""))
			}
			a.put("workplacements", placementJSON("gone", test.more, ""))
			s, err := kube.New(a.config(), kube.Options{Contents: test.contents})
			if err != nil {
				t.Fatal(err)
			}
			s.Follow(t.Context())
			got := snapshot(t, s)
			if !slices.Equal(got.Orphans, test.want) || len(got.Findings) != len(test.want) {
				t.Fatalf("orphans %v with the findings %v, want %v", got.Orphans, got.Findings, test.want)
			}
			for _, f := range got.Findings {
				if f.Rule != finding.OrphanedPlacement() || f.Place.Object != "WorkPlacement default/gone" || !strings.Contains(f.Message, "its Work gone is gone") ||
					f.Fix != "kubectl delete workplacement gone --namespace default" {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}
