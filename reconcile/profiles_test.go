package reconcile

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

var profileTaken = time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)

func newProfile(t testing.TB, name string, namespaces ...string) *profile.Profile {
	t.Helper()
	p := &profile.Profile{
		KubernetesVersion: "v1.36.3", Taken: metav1.NewTime(profileTaken), Namespaces: append(namespaces, "default"),
		Kinds: []profile.ServedKind{{APIVersion: "v1", Kind: "ConfigMap", Namespaced: true}, {APIVersion: "v1", Kind: "Namespace"}},
	}
	p.Name = name
	if err := p.Normalize(); err != nil {
		t.Fatal(err)
	}
	return p
}

var inShop = map[string]string{"maps.yaml": testkit.ConfigMaps("one") + "  namespace: shop\n"}

func TestProfileThatChangesIsCheckedAnew(t *testing.T) {
	w := newEnv(t)
	w.policy.CheckApply = applycheck.Quarantine
	other := w.addDestination("worker-2", "worker-2")
	w.snapshot.Destinations[0].Labels, other.Labels = map[string]string{"zone": "one"}, map[string]string{"zone": "two"}
	for name, zone := range map[string]string{"a": "one", "b": "two"} {
		w.snapshot.Works = append(w.snapshot.Works, testkit.Request(name, testkit.WithFiles(inShop), testkit.WithSelector(map[string]string{"zone": zone})))
	}

	with := func(profiles ...*profile.Profile) { w.snapshot.Profiles = profiles }
	with(newProfile(t, "worker-1"))
	w.expect(w.round(), map[string]report.State{"a": report.HeldBack, "b": report.Placed}, "KS103")
	w.round()
	before := w.cached("worker-2")
	with(newProfile(t, "worker-1", "shop"))
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Unchanged})
	if w.cached("worker-2") != before {
		t.Error("a Destination whose profile has not changed was checked again")
	}
	with()
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.Unchanged})
	with(newProfile(t, "worker-1"))
	w.expect(w.round(), map[string]report.State{"a": report.HeldBack, "b": report.Unchanged}, "KS103")
}

func (w *testEnv) cached(name string) *outcome {
	w.t.Helper()
	for _, d := range w.snapshot.Destinations {
		if entry, known := w.reconciler.cache.outcomes.of.get(d); known && d.Name == name {
			return entry.outcome
		}
	}
	w.t.Fatal("no outcome of", name)
	return nil
}

func TestFindingsAboutProfiles(t *testing.T) {
	partial := newProfile(t, "worker-1")
	partial.Unread = []profile.UnreadGroup{{Group: "metrics.k8s.io", Reason: "503"}}
	for name, test := range map[string]struct {
		profile *profile.Profile
		version string
		age     time.Duration
		check   applycheck.Policy
		want    string
	}{
		"new":              {profile: newProfile(t, "worker-1"), age: 29 * 24 * time.Hour},
		"old":              {profile: newProfile(t, "worker-1"), age: 31 * 24 * time.Hour, want: "KS112 warning ClusterProfile worker-1: the profile of worker-1 was taken on 2026-11-01, more than 30 days ago"},
		"old, not checked": {profile: newProfile(t, "worker-1"), age: 31 * 24 * time.Hour, check: applycheck.Off},
		"unknown":          {profile: newProfile(t, "worker-7"), want: "KS111 warning ClusterProfile worker-7: there is no Destination worker-7"},
		"disputed": {profile: newProfile(t, "worker-1"), version: "1.35", want: `KS113 warning Destination worker-1: its annotation kratix-schedule.io/kubernetes-version is "1.35", ` +
			"and its profile has Kubernetes v1.36.3: what depends on the version or on the profile is only a warning"},
		"agreed": {profile: newProfile(t, "worker-1"), version: "v1.36.0"},
		"no version": {profile: newProfile(t, "worker-1"), version: "newest",
			want: `KS046 error Destination worker-1: the annotation kratix-schedule.io/kubernetes-version is "newest" and must be a version of Kubernetes, as "1.36"; until then it counts as unknown`},
		"partial": {profile: partial, want: "KS114 note ClusterProfile worker-1: when the profile of worker-1 was taken, the API server could not list the group metrics.k8s.io: 503"},
	} {
		w := newEnv(t)
		w.policy.CheckApply, w.policy.ProfileMaxAge = applycheck.Quarantine, 30*24*time.Hour
		if test.check != "" {
			w.policy.CheckApply = test.check
		}
		w.reconciler.Now = func() time.Time { return profileTaken.Add(test.age) }
		w.snapshot.Profiles = []*profile.Profile{test.profile}
		if test.version != "" {
			w.snapshot.Destinations[0].Annotations = map[string]string{scheduler.KubernetesVersionAnnotation: test.version}
		}
		r := w.round()
		var got []string
		for _, f := range r.Findings {
			got = append(got, f.Rule.ID+" "+f.Rule.Severity.String()+" "+f.Place.String()+": "+f.Message)
		}
		if strings.Join(got, "\n") != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
		shown := slices.ContainsFunc(r.Profiles, func(p report.Profile) bool {
			return p.Destination == "worker-1" && p.AgeDays == int(test.age/(24*time.Hour)) && p.Taken.Equal(profileTaken)
		})
		if wanted := test.profile.Name == "worker-1" && test.check == ""; shown != wanted {
			t.Errorf("%s: the report has %+v", name, r.Profiles)
		}
	}
}
