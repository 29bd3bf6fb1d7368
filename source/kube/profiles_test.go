package kube_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

func profileJSON(t *testing.T, name, destination string, day int, namespace string) string {
	t.Helper()
	p := &profile.Profile{
		KubernetesVersion: "v1.36.3", Taken: metav1.Date(2026, time.November, day, 12, 0, 0, 0, time.UTC), Namespaces: []string{namespace},
		Kinds: []profile.ServedKind{{APIVersion: "v1", Kind: "ConfigMap", Namespaced: true}},
	}
	p.Name = destination
	if err := p.Normalize(); err != nil {
		t.Fatal(err)
	}
	packed, err := p.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return configMapJSON(name, fmt.Sprintf(`{"profile.json.gz":%q}`, base64.StdEncoding.EncodeToString(packed)))
}

func configMapJSON(name, binaryData string) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q,"namespace":"own","labels":{"kratix-schedule.io/cluster-profile":"true"}},"binaryData":%s}`, name, binaryData)
}

func followProfiles(t *testing.T, a *api) *kube.Source {
	t.Helper()
	s, err := kube.New(a.config(), kube.Options{ProfileNamespace: "own"})
	if err != nil {
		t.Fatal(err)
	}
	s.Follow(t.Context())
	return s
}

func profilesOf(snapshot source.Snapshot) []string {
	var lines []string
	for _, p := range snapshot.Profiles {
		lines = append(lines, fmt.Sprint(p.Name, " ", p.Taken.UTC().Format(time.DateOnly), " ", p.Namespaces))
	}
	for _, f := range snapshot.Findings {
		if strings.HasPrefix(f.Rule.ID, "KS11") {
			lines = append(lines, fmt.Sprintf("%s %s %s: %s", f.Rule.ID, f.Rule.Severity, f.Place, f.Message))
		}
	}
	return lines
}

func waitForProfiles(t *testing.T, s *kube.Source, want ...string) {
	t.Helper()
	eventually(t, func() string {
		snapshot, err := s.Snapshot(t.Context())
		if err != nil {
			return err.Error()
		}
		if got := profilesOf(snapshot); !slices.Equal(got, want) {
			return fmt.Sprintf("got %q, want %q", got, want)
		}
		return ""
	})
}

func TestProfilesInConfigMaps(t *testing.T) {
	a := newPlatform(t)
	a.put("configmaps", profileJSON(t, "one", "worker-1", 1, "a"))
	a.put("configmaps", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"other","namespace":"own"}}`)
	s := followProfiles(t, a)
	first, err := s.Snapshot(t.Context())
	if got := profilesOf(first); err != nil || !slices.Equal(got, []string{"worker-1 2026-11-01 [a]"}) {
		t.Fatalf("the first snapshot has %q, %v", got, err)
	}
	if at := first.Origins.Of(first.Profiles[0]); at.Object != "ClusterProfile worker-1" {
		t.Errorf("its place is %q", at)
	}

	a.put("configmaps", profileJSON(t, "two", "worker-1", 2, "b"))
	waitForProfiles(t, s, "worker-1 2026-11-02 [b]", "KS111 warning ConfigMap own/one: ClusterProfile worker-1 is there twice; the newer one counts")
	a.remove("configmaps", "own/two")
	waitForProfiles(t, s, "worker-1 2026-11-01 [a]")
	a.put("configmaps", configMapJSON("one", `{"profile.json.gz":"dGhpcyBpcyBubyBnemlwIGF0IGFsbA=="}`))
	waitForProfiles(t, s, `KS110 error ConfigMap own/one: the profile cannot be read, so its Destination is checked without it: binaryData["profile.json.gz"] is not gzip: gzip: invalid header`)
	a.put("configmaps", configMapJSON("one", `{"profile.json.gz":"%"}`))
	waitForProfiles(t, s, `KS110 error ConfigMap own/one: the profile cannot be read, so its Destination is checked without it: illegal base64 data at input byte 0`)
	a.put("configmaps", profileJSON(t, "one", "worker-1", 3, "c"))
	waitForProfiles(t, s, "worker-1 2026-11-03 [c]")
	for _, asked := range a.requests() {
		if strings.Contains(asked, " configmaps") && !strings.HasSuffix(asked, " configmaps own") {
			t.Errorf("asked %q", asked)
		}
	}
}

func TestEqualProfileStaysTheSame(t *testing.T) {
	a := newPlatform(t)
	a.put("configmaps", profileJSON(t, "one", "worker-1", 1, "a"))
	s := followProfiles(t, a)
	before, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.put("configmaps", profileJSON(t, "one", "worker-1", 1, "a"))
	a.put("configmaps", profileJSON(t, "two", "worker-2", 1, "a"))
	waitForProfiles(t, s, "worker-1 2026-11-01 [a]", "worker-2 2026-11-01 [a]")
	after, err := s.Snapshot(t.Context())
	if err != nil || before.Profiles[0] != after.Profiles[0] {
		t.Errorf("the profile was replaced, %v", err)
	}
}

func TestProfilesThatMustNotBeReadAreAWarning(t *testing.T) {
	a := newPlatform(t)
	a.set(func(a *api) {
		a.refused["watch configmaps"], a.refused["list configmaps"] = http.StatusForbidden, http.StatusForbidden
	})
	s := followProfiles(t, a)
	began := time.Now()
	snapshot, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := profilesOf(snapshot)
	if len(got) != 1 || !strings.HasPrefix(got[0], "KS110 warning ConfigMap own: profiles cannot be read, so all Destinations are checked without: follow configmaps: ") {
		t.Errorf("got %q", got)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestProfilesAreNotReadUnlessAsked(t *testing.T) {
	a := newPlatform(t)
	a.put("configmaps", profileJSON(t, "one", "worker-1", 1, "a"))
	s := follow(t, a)
	waitForContent(t, s, whole...)
	waitForProfiles(t, s)
	if slices.ContainsFunc(a.requests(), func(asked string) bool { return strings.Contains(asked, "configmaps") }) {
		t.Errorf("asked %q", a.requests())
	}
}
