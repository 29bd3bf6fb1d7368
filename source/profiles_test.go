package source

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

func profileText(name string, day int, namespace string) string {
	return fmt.Sprintf(`apiVersion: kratix-schedule.io/v1alpha1
kind: ClusterProfile
metadata: {name: %s}
taken: "2026-11-%02dT12:00:00Z"
kubernetesVersion: v1.36.3
kinds: [{apiVersion: v1, kind: ConfigMap, namespaced: true}]
namespaces: [%s]
`, name, day, namespace)
}

func findingsText(findings []finding.Finding) []string {
	lines := []string{}
	for _, f := range findings {
		lines = append(lines, fmt.Sprintf("%s %s: %s", f.Rule.ID, f.Place, f.Message))
	}
	return lines
}

func described(profiles []*profile.Profile) []string {
	lines := []string{}
	for _, p := range profiles {
		lines = append(lines, fmt.Sprint(p.Name, " ", p.Taken.UTC().Format("2006-01-02"), " ", p.Namespaces))
	}
	return lines
}

func TestNewestProfileCounts(t *testing.T) {
	old, recent := profileText("worker-1", 1, "a"), profileText("worker-1", 2, "b")
	for name, files := range map[string][]File{
		"newer last":  {{Name: "a.yaml", Content: []byte(old)}, {Name: "b.yaml", Content: []byte(recent)}},
		"newer first": {{Name: "b.yaml", Content: []byte(recent)}, {Name: "a.yaml", Content: []byte(old)}},
	} {
		s := Collect(files)
		if diff := cmp.Diff([]string{"worker-1 2026-11-02 [b]"}, described(s.Profiles)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		want := []string{"KS111 ClusterProfile worker-1, a.yaml:1: ClusterProfile worker-1 is in the input twice; the newer one counts"}
		if diff := cmp.Diff(want, findingsText(s.Findings)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if at := s.Origins.Of(s.Profiles[0]); at.File != "b.yaml" {
			t.Errorf("%s: it is from %s", name, at)
		}
	}
	same := Collect([]File{{Name: "a.yaml", Content: []byte(old)}, {Name: "b.yaml", Content: []byte(profileText("worker-1", 1, "b"))}})
	if diff := cmp.Diff([]string{"worker-1 2026-11-01 [a]"}, described(same.Profiles)); diff != "" {
		t.Error("of two that were taken at the same time:", diff)
	}
}

func TestBrokenProfileIsOneFinding(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"unknown field":   {profileText("worker-1", 1, "a") + "more: 1\n", `KS110 ClusterProfile worker-1, a.yaml:1: the profile cannot be read, so its Destination is checked without it: unknown field "more"`},
		"unknown version": {"apiVersion: kratix-schedule.io/v9\nkind: ClusterProfile\nmetadata: {name: a}\n", `KS110 ClusterProfile a, a.yaml:1: the profile cannot be read, so its Destination is checked without it: it is a "ClusterProfile" of "kratix-schedule.io/v9"; a profile is a "ClusterProfile" of "kratix-schedule.io/v1alpha1"`},
		"wrong type":      {"apiVersion: kratix-schedule.io/v1alpha1\nkind: ClusterProfile\nmetadata: {name: a}\nkinds: none\n", `KS110 ClusterProfile a, a.yaml:1: the profile cannot be read, so its Destination is checked without it: kinds cannot be a string`},
		"ConfigMap": {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b, labels: {kratix-schedule.io/cluster-profile: x}}\nbinaryData: {profile.json.gz: '?'}\n",
			`KS110 ConfigMap b/a, a.yaml:1: the profile cannot be read, so its Destination is checked without it: illegal base64 data at input byte 0`},
		"ConfigMap without the label": {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {kratix-schedule.io/cluster-profile: x}}\n", "KS026 ConfigMap a, a.yaml:1: ConfigMap of v1 is ignored"},
	} {
		s := Collect([]File{{Name: "a.yaml", Content: []byte(test.text)}})
		if diff := cmp.Diff([]string{test.want}, findingsText(s.Findings)); diff != "" || len(s.Profiles) > 0 || s.Incomplete || s.Unseen {
			t.Errorf("%s: %s; profiles %v, incomplete %v, unseen %v", name, diff, s.Profiles, s.Incomplete, s.Unseen)
		}
	}
}

func TestProfilesOfChangingFiles(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		c := NewCollection()
		files := map[string]File{}
		for step := range 60 {
			name := fmt.Sprint("f", rng.IntN(4), ".yaml")
			if rng.IntN(4) == 0 {
				delete(files, name)
				c.Remove(0, name)
			} else {
				text := profileText(fmt.Sprint("worker-", rng.IntN(2)), 1+rng.IntN(3), fmt.Sprint("n", rng.IntN(2)))
				if rng.IntN(3) == 0 {
					text += "---\n" + profileText(fmt.Sprint("worker-", rng.IntN(2)), 1+rng.IntN(3), "second")
				}
				files[name] = File{Name: name, Content: []byte(text)}
				c.Set(0, files[name])
			}
			fresh := NewCollection()
			for _, file := range files {
				fresh.Set(0, file)
			}
			got, want := c.Snapshot(), fresh.Snapshot()
			if diff := cmp.Diff(described(want.Profiles), described(got.Profiles)); diff != "" {
				t.Fatalf("seed %d step %d: %s", seed, step, diff)
			}
			if diff := cmp.Diff(findingsText(want.Findings), findingsText(got.Findings)); diff != "" {
				t.Fatalf("seed %d step %d: %s", seed, step, diff)
			}
		}
	}
}

func TestEqualProfileIsKept(t *testing.T) {
	c := NewCollection()
	c.Set(0, File{Name: "a.yaml", Content: []byte(profileText("worker-1", 1, "a"))})
	before := c.Snapshot().Profiles[0]
	c.Set(0, File{Name: "a.yaml", Content: []byte("# a comment\n" + profileText("worker-1", 1, "a"))})
	if after := c.Snapshot().Profiles[0]; after != before {
		t.Error("the profile was replaced")
	}
	c.Set(0, File{Name: "a.yaml", Content: []byte(profileText("worker-1", 1, "b"))})
	if after := c.Snapshot().Profiles[0]; after == before {
		t.Error("the profile was kept")
	}
}
