package applycheck

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
)

func profileOf(t testing.TB, namespaces ...string) *profile.Profile {
	t.Helper()
	p := &profile.Profile{
		KubernetesVersion: "v1.36.3", Namespaces: namespaces, Taken: metav1.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC),
		Kinds: []profile.ServedKind{
			{APIVersion: "v1", Kind: "ConfigMap", Namespaced: true}, {APIVersion: "v1", Kind: "Namespace"}, {APIVersion: "apps/v1", Kind: "Deployment", Namespaced: true},
			{APIVersion: "helm.toolkit.fluxcd.io/v2", Kind: "HelmRelease", Namespaced: true},
			{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"},
		},
	}
	p.Name = "worker-1"
	if err := p.Normalize(); err != nil {
		t.Fatal(err)
	}
	return p
}

func withDefinition(t testing.TB, p *profile.Profile, text string) *profile.Profile {
	t.Helper()
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.Unmarshal([]byte(text), crd); err != nil {
		t.Fatal(err)
	}
	made, err := profile.NewDefinition(crd)
	if err != nil {
		t.Fatal(err)
	}
	p.Definitions = append(p.Definitions, made)
	if err := p.Normalize(); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCustomResourceIsCheckedWithTheDefinitionOfTheProfile(t *testing.T) {
	cluster := clusterOf(t, "", withDefinition(t, profileOf(t, "shop"), definition))
	if said := checkBoth(t, cluster, nil, []string{shop}); len(said) != 0 {
		t.Error("a kind that the profile defines:", said)
	}
	wrong := strings.Replace(shop, "spec:", "spc:", 1)
	if wrong == shop {
		t.Fatal("nothing is changed")
	}
	said := describe(CheckClaims(Input{Cluster: cluster, Roots: []dedupe.Root{rootOf(t, "resources", wrong)}})[0])
	if len(said) != 1 || !strings.HasPrefix(said[0], "KS104 error") || !strings.Contains(said[0], "spc") {
		t.Error("a field that the definition does not have:", said)
	}
}

func TestGroupThatCouldNotBeListedHoldsNothingBack(t *testing.T) {
	p := profileOf(t, "shop")
	p.Unread = []profile.UnreadGroup{{Group: "example.com", Reason: "down"}, {Group: "batch"}}
	cluster := clusterOf(t, "", p)
	const taken = "the profile of the cluster, taken on 2026-11-01,"
	want := []string{
		"KS100 warning 1: Shop shop/a: nothing on the Destination defines Shop of example.com/v1, and " + taken + " does not have it; but when it was taken the API server could not list the group example.com",
		"KS100 warning 1: Job shop/a: " + taken + " does not have Job of batch/v1, which Kubernetes may have disabled; but when it was taken the API server could not list the group batch",
		"KS100 error 1: Other shop/a: nothing on the Destination defines Other of example.org/v1, and " + taken + " does not have it",
	}
	got := checkBoth(t, cluster, nil, []string{
		shop, "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a, namespace: shop}\n", "apiVersion: example.org/v1\nkind: Other\nmetadata: {name: a, namespace: shop}\n",
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDisputedProfileHoldsNothingBack(t *testing.T) {
	for version, disputed := range map[string]bool{"": false, "1.36": false, "v1.36.9": false, "1.35": true, "1.50": true} {
		cluster := clusterOf(t, version, withDefinition(t, profileOf(t, "default"), definition))
		if cluster.Disputed() != disputed || cluster.Certain() == disputed || cluster.Checked() != "1.36" {
			t.Errorf("%q: disputed %v, certain %v, checked against %s", version, cluster.Disputed(), cluster.Certain(), cluster.Checked())
		}
		resources := []string{
			deployment, shop, strings.Replace(shop, "example.com/v1", "example.com/v9", 1), "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: default}\n",
			"apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a, namespace: default}\n",
		}
		lines := checkBoth(t, cluster, nil, resources)
		if len(lines) != 6 {
			t.Errorf("%q: %d findings: %q", version, len(lines), lines)
		}
		for _, line := range lines {
			if isWarning := strings.Contains(line, " warning "); isWarning != disputed {
				t.Errorf("%q: %s", version, line)
			}
		}
		wrong := strings.Replace(deployment, "spec:", "spec:\n  replicas: three", 1)
		for _, line := range describe(CheckClaims(Input{Cluster: cluster, Roots: []dedupe.Root{rootOf(t, "resources", wrong)}})[0]) {
			if isWarning := strings.Contains(line, " warning "); isWarning != disputed {
				t.Errorf("%q: %s", version, line)
			}
		}
	}
}
