package applycheck

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
)

const shopNamespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"

const release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: op, namespace: default}\nspec: {interval: 1m}\n"

func checkBoth(t *testing.T, cluster *Cluster, dependencies, resources []string) []string {
	t.Helper()
	verdicts := CheckRoots(Input{Cluster: cluster, Roots: []dedupe.Root{rootOf(t, "dependencies", dependencies...), rootOf(t, "resources", resources...)}})
	for _, v := range verdicts {
		errors := 0
		for _, f := range v.Findings {
			if f.Rule.Severity.String() == "error" {
				errors++
			}
		}
		if (errors > 0) != (len(v.Quarantined) > 0) {
			t.Error("errors and quarantined claims disagree:", v)
		}
	}
	return append(describe(verdicts[0]), describe(verdicts[1])...)
}

func TestFaultsAmongOthers(t *testing.T) {
	budget := "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a, namespace: default}\n"
	withProfile := clusterOf(t, "", profileOf(t, "default"))
	version := clusterOf(t, "1.36", nil)
	unknown := clusterOf(t, "", nil)
	const missing = `KS103 error 1: Deployment shop/web: no file of the Destination creates the namespace "shop", and the profile of the cluster, taken on 2026-11-01, does not have it`
	const undefined = "nothing on the Destination defines Shop of example.com/v1"
	for _, test := range []struct {
		name                    string
		cluster                 *Cluster
		dependencies, resources []string
		want                    []string
	}{
		{"namespace in the same root", withProfile, nil, []string{shopNamespace, deployment}, nil},
		{"namespace in another root", withProfile, []string{shopNamespace}, []string{deployment}, nil},
		{"namespace in the profile", clusterOf(t, "", profileOf(t, "shop")), nil, []string{deployment}, nil},
		{"no namespace", withProfile, nil, []string{deployment}, []string{missing}},
		{"no namespace, no profile", version, nil, []string{deployment},
			[]string{`KS103 warning 1: Deployment shop/web: no file of the Destination creates the namespace "shop"`}},
		{"unnamed namespace", withProfile, nil, []string{strings.Replace(deployment, "  namespace: shop\n", "", 1)},
			[]string{"KS103 warning 1: Deployment web: no namespace is set, and neither Flux nor the API server chooses one, unless the Flux Kustomization has a targetNamespace"}},
		{"variable as namespace", withProfile, nil, []string{strings.Replace(deployment, "namespace: shop", "namespace: ${a}", 1)}, nil},
		{"removed", version, nil, []string{budget},
			[]string{"KS101 error 1: PodDisruptionBudget default/a: PodDisruptionBudget of policy/v1beta1 was removed in Kubernetes 1.25; use PodDisruptionBudget of policy/v1"}},
		{"removed, version not known", unknown, nil, []string{budget},
			[]string{"KS101 warning 1: PodDisruptionBudget default/a: PodDisruptionBudget of policy/v1beta1 was removed in Kubernetes 1.25; use PodDisruptionBudget of policy/v1" +
				" (checked against Kubernetes 1.36, since the version of the Destination's cluster is not known)"}},
		{"deprecated", version, nil, []string{"apiVersion: v1\nkind: Endpoints\nmetadata: {name: a, namespace: default}\n"},
			[]string{"KS102 warning 1: Endpoints default/a: Endpoints of v1 is deprecated since Kubernetes 1.33; use EndpointSlice of discovery.k8s.io/v1"}},
		{"no such kind of a built-in group", version, nil, []string{"apiVersion: apps/v1\nkind: Deploiment\nmetadata: {name: a}\n"},
			[]string{"KS100 error 1: Deploiment a: Kubernetes 1.36 does not serve Deploiment of apps/v1"}},
		{"defined in the same root", withProfile, []string{shopNamespace}, []string{definition, shop}, nil},
		{"defined in dependencies", withProfile, []string{shopNamespace, definition}, []string{shop}, nil},
		{"version not served", version, []string{shopNamespace, definition}, []string{strings.Replace(shop, "/v1", "/v2", 1)},
			[]string{"KS100 error 1: Shop shop/a: the CustomResourceDefinition of Shop does not serve the version v2, but [v1]"}},
		{"defined by nothing", withProfile, []string{shopNamespace}, []string{shop},
			[]string{"KS100 error 1: Shop shop/a: " + undefined + ", and the profile of the cluster, taken on 2026-11-01, does not have it"}},
		{"defined by nothing, no profile", version, []string{shopNamespace}, []string{shop}, []string{"KS100 warning 1: Shop shop/a: " + undefined}},
		{"defined by nothing, nothing known", unknown, nil, []string{shop}, nil},
		{"no namespace, nothing known", unknown, nil, []string{deployment}, nil},
		{"HelmRelease in the same root, nothing known", unknown, nil, []string{shop, release},
			[]string{"KS109 warning 1: Shop shop/a: " + undefined + "; if HelmRelease default/op installs it, Flux never applies either, as both are in one root"}},
		{"HelmRelease in the same root", withProfile, []string{shopNamespace}, []string{shop, release},
			[]string{"KS109 error 1: Shop shop/a: " + undefined + ", and the profile of the cluster, taken on 2026-11-01, does not have it; if HelmRelease default/op installs it, Flux never applies either, as both are in one root"}},
		{"HelmRelease in dependencies", withProfile, []string{shopNamespace, release}, []string{shop},
			[]string{"KS100 warning 1: Shop shop/a: " + undefined + ", and the profile of the cluster, taken on 2026-11-01, does not have it"}},
		{"built-in kind that the profile lacks", withProfile, nil, []string{"apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: default}\n"},
			[]string{"KS100 error 1: Secret default/a: the profile of the cluster, taken on 2026-11-01, does not have Secret of v1, which Kubernetes may have disabled"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.want == nil {
				test.want = []string{}
			}
			if diff := cmp.Diff(test.want, checkBoth(t, test.cluster, test.dependencies, test.resources)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRemovedDefinitionIsKeptWhileObjectsRemain(t *testing.T) {
	for _, test := range []struct {
		name, wanted, shop, want string
	}{
		{"all goes", shopNamespace, shop, "KS108 error 5: CustomResourceDefinition shops.example.com: it goes, and Shop shop/a remains"},
		{"a version goes", shopNamespace + "---" + strings.Replace(definition, "name: v1", "name: v2", 1), shop,
			"KS108 error 5: CustomResourceDefinition shops.example.com: its version v1 goes, and Shop shop/a remains"},
		{"nothing remains", shopNamespace, "", ""},
		{"it stays", shopNamespace + "---" + definition + "# more\n", shop, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dependencies, resources := rootOf(t, "dependencies"), rootOf(t, "resources")
			dependencies.Claims = []dedupe.Claim{claimOf(t, "dependencies/a/a.yaml", test.wanted, shopNamespace+"---"+definition)}
			resources.Claims = []dedupe.Claim{claimOf(t, "resources/a/a.yaml", test.shop, test.shop)}
			v := CheckRoots(Input{Cluster: clusterOf(t, "1.36", nil), Roots: []dedupe.Root{dependencies, resources}})[0]
			got := strings.Join(describe(v), "\n")
			if got != test.want || (len(v.Quarantined) > 0) != (test.want != "") {
				t.Error(cmp.Diff(test.want, got), v.Quarantined)
			}
		})
	}
}
