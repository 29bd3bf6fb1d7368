package admission

import (
	"bytes"
	"os"
	"strings"
	"testing"

	api "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

func shipped(t *testing.T) (*policy, *binding) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/schedule/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	documents := bytes.SplitN(text, []byte("\n---\n"), 2)
	p, b := &policy{}, &binding{}
	if err := yaml.UnmarshalStrict(documents[0], p); err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(documents[1], b); err != nil {
		t.Fatal(err)
	}
	return p, b
}

func selector(key, value string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
}

func TestCompare(t *testing.T) {
	const policyName, bindingName = "ValidatingAdmissionPolicy kratix-schedule-places", "ValidatingAdmissionPolicyBinding kratix-schedule-places"
	ignore, cluster := api.Ignore, api.ClusterScope
	for name, test := range map[string]struct {
		change  func(p *policy, b *binding)
		state   State
		reason  string
		object  string
		message string
	}{
		"as shipped": {func(*policy, *binding) {}, InForce, ReasonAsShipped, policyName, "does not let ServiceAccount kratix-platform-system/kratix-platform-controller-manager"},
		"of another name": {func(p *policy, b *binding) { p.Name, b.Name, b.Spec.PolicyName = "a", "b", "a" },
			InForce, ReasonAsShipped, "ValidatingAdmissionPolicy a", "ValidatingAdmissionPolicy a, with the binding b,"},
		"other spaces and quotes": {func(p *policy, _ *binding) {
			p.Spec.MatchConditions[0].Expression = strings.ReplaceAll(p.Spec.MatchConditions[0].Expression, "'", `"`) + "\n"
			p.Spec.Validations[0].Expression = strings.ReplaceAll(p.Spec.Validations[0].Expression, " && ", "\n  &&")
		}, InForce, ReasonAsShipped, policyName, ""},
		"more is denied": {func(p *policy, _ *binding) {
			p.Spec.Validations = append([]api.Validation{{Expression: "object.metadata.name != ''"}}, p.Spec.Validations...)
		}, InForce, ReasonAsShipped, policyName, ""},
		"everybody is denied": {func(p *policy, _ *binding) { p.Spec.MatchConditions = nil }, InForce, ReasonAsShipped, policyName, ""},
		"denied and audited": {func(_ *policy, b *binding) { b.Spec.ValidationActions = []api.ValidationAction{api.Audit, api.Deny} },
			InForce, ReasonAsShipped, policyName, ""},
		"empty selectors": {func(p *policy, b *binding) {
			p.Spec.MatchConstraints.NamespaceSelector = &metav1.LabelSelector{}
			b.Spec.MatchResources = &api.MatchResources{ObjectSelector: &metav1.LabelSelector{}}
		}, InForce, ReasonAsShipped, policyName, ""},
		"any operation of any resource": {func(p *policy, _ *binding) {
			rule := &p.Spec.MatchConstraints.ResourceRules[0]
			rule.APIGroups, rule.Operations, rule.Resources = []string{"*"}, []api.OperationType{api.OperationAll}, []string{"*"}
		}, InForce, ReasonAsShipped, policyName, ""},
		"a rule for each operation": {func(p *policy, _ *binding) {
			rules := append(p.Spec.MatchConstraints.ResourceRules, p.Spec.MatchConstraints.ResourceRules...)
			rules[0].Operations, rules[1].Operations = []api.OperationType{api.Create}, []api.OperationType{api.Update}
			p.Spec.MatchConstraints.ResourceRules = rules
		}, InForce, ReasonAsShipped, policyName, ""},
		"another resource is excluded": {func(p *policy, _ *binding) {
			rule := p.Spec.MatchConstraints.ResourceRules[0]
			rule.Resources = []string{"works"}
			p.Spec.MatchConstraints.ExcludeResourceRules = []api.NamedRuleWithOperations{rule}
		}, InForce, ReasonAsShipped, policyName, ""},

		"Audit only": {func(_ *policy, b *binding) { b.Spec.ValidationActions = []api.ValidationAction{api.Audit} },
			NotInForce, ReasonNotDenied, bindingName, "has the validationActions [Audit] without Deny"},
		"the binding is another policy's": {func(_ *policy, b *binding) { b.Spec.PolicyName = "other" },
			NotInForce, ReasonBindingMissing, bindingName, "no ValidatingAdmissionPolicyBinding has the policyName kratix-schedule-places"},
		"it is another policy": {func(p *policy, _ *binding) {
			p.Labels, p.Spec.MatchConditions, p.Spec.Validations[0].Expression = nil, nil, "object.metadata.name != ''"
		}, NotInForce, ReasonPolicyMissing, policyName, "no ValidatingAdmissionPolicy keeps"},
		"another ServiceAccount": {func(p *policy, _ *binding) {
			p.Spec.MatchConditions[0].Expression = "request.userInfo.username == 'system:serviceaccount:a:b'"
		}, NotInForce, ReasonOtherServiceAccount, policyName, "concerns the user system:serviceaccount:a:b, not ServiceAccount kratix-platform-system/"},
		"one more condition": {func(p *policy, _ *binding) {
			p.Spec.MatchConditions = append(p.Spec.MatchConditions, api.MatchCondition{Name: "labelled", Expression: "has(object.metadata.labels)"})
		}, NotInForce, ReasonPolicyDiffers, policyName, "by its matchCondition labelled: has(object.metadata.labels)"},
		"creation alone is denied": {func(p *policy, _ *binding) { p.Spec.Validations[0].Expression = "request.operation == 'UPDATE'" },
			NotInForce, ReasonPolicyDiffers, policyName, "lacks the validation"},
		"the order of an or": {func(p *policy, _ *binding) {
			p.Spec.Validations[0].Expression = strings.ReplaceAll(p.Spec.Validations[0].Expression, "&&", "||")
		}, NotInForce, ReasonPolicyDiffers, policyName, "lacks the validation"},
		"failurePolicy Ignore": {func(p *policy, _ *binding) { p.Spec.FailurePolicy = &ignore },
			NotInForce, ReasonPolicyDiffers, policyName, "has the failurePolicy Ignore"},
		"parameters": {func(p *policy, _ *binding) { p.Spec.ParamKind = &api.ParamKind{APIVersion: "v1", Kind: "ConfigMap"} },
			NotInForce, ReasonPolicyDiffers, policyName, "paramKind ConfigMap"},
		"no constraints": {func(p *policy, _ *binding) { p.Spec.MatchConstraints = nil },
			NotInForce, ReasonPolicyDiffers, policyName, "does not concern CREATE of workplacements.platform.kratix.io; it does not concern UPDATE"},
		"creation only": {func(p *policy, _ *binding) {
			p.Spec.MatchConstraints.ResourceRules[0].Operations = []api.OperationType{api.Create}
		}, NotInForce, ReasonPolicyDiffers, policyName, "kratix-schedule-places does not concern UPDATE"},
		"another version": {func(p *policy, _ *binding) {
			p.Spec.MatchConstraints.ResourceRules[0].APIVersions = []string{"v1"}
		}, NotInForce, ReasonPolicyDiffers, policyName, "does not concern CREATE"},
		"another group": {func(p *policy, _ *binding) { p.Spec.MatchConstraints.ResourceRules[0].APIGroups = []string{"apps"} },
			NotInForce, ReasonPolicyDiffers, policyName, "does not concern CREATE"},
		"cluster-scoped objects only": {func(p *policy, _ *binding) { p.Spec.MatchConstraints.ResourceRules[0].Scope = &cluster },
			NotInForce, ReasonPolicyDiffers, policyName, "does not concern CREATE"},
		"the status only": {func(p *policy, _ *binding) {
			p.Spec.MatchConstraints.ResourceRules[0].Resources = []string{"workplacements/status"}
		}, NotInForce, ReasonPolicyDiffers, policyName, "does not concern CREATE"},
		"objects of some names": {func(p *policy, _ *binding) {
			p.Spec.MatchConstraints.ResourceRules[0].ResourceNames = []string{"a"}
		}, NotInForce, ReasonPolicyDiffers, policyName, "does not concern CREATE"},
		"some namespaces": {func(p *policy, _ *binding) { p.Spec.MatchConstraints.NamespaceSelector = selector("a", "b") },
			NotInForce, ReasonPolicyDiffers, policyName, "by its namespaceSelector a=b"},
		"objects are excluded": {func(p *policy, _ *binding) {
			p.Spec.MatchConstraints.ExcludeResourceRules = p.Spec.MatchConstraints.ResourceRules
		}, NotInForce, ReasonPolicyDiffers, policyName, "excludes workplacements.platform.kratix.io"},
		"the binding is for some objects": {func(_ *policy, b *binding) {
			b.Spec.MatchResources = &api.MatchResources{ObjectSelector: selector("a", "b")}
		},
			NotInForce, ReasonBindingDiffers, bindingName, "by its objectSelector a=b"},
		"the binding is for creation": {func(p *policy, b *binding) {
			b.Spec.MatchResources = &api.MatchResources{ResourceRules: []api.NamedRuleWithOperations{p.Spec.MatchConstraints.ResourceRules[0]}}
			b.Spec.MatchResources.ResourceRules[0].Operations = []api.OperationType{api.Create}
		}, NotInForce, ReasonBindingDiffers, bindingName, "kratix-schedule-places does not concern UPDATE"},
		"the binding excludes changes": {func(p *policy, b *binding) {
			rule := p.Spec.MatchConstraints.ResourceRules[0]
			rule.Operations, rule.ResourceNames = []api.OperationType{api.Update}, []string{"a"}
			b.Spec.MatchResources = &api.MatchResources{ExcludeResourceRules: []api.NamedRuleWithOperations{rule}}
		}, NotInForce, ReasonBindingDiffers, bindingName, "excludes"},
	} {
		t.Run(name, func(t *testing.T) {
			p, b := shipped(t)
			test.change(p, b)
			got := compare([]policy{*p}, []binding{*b}, Kratix())
			if got.State != test.state || got.Reason != test.reason || got.Object != test.object || !strings.Contains(got.Message, test.message) {
				t.Errorf("got %+v", got)
			}
			if (got.Fix == "") != (got.State == InForce) {
				t.Errorf("the fix is %q", got.Fix)
			}
		})
	}
}

func TestCompareUsesBestOfSeveralPolicies(t *testing.T) {
	good, bound := shipped(t)
	bad, audit := shipped(t)
	bad.Name, bad.Spec.Validations = "a", nil
	audit.Name, audit.Spec.ValidationActions = "a", []api.ValidationAction{api.Audit}
	unbound, _ := shipped(t)
	unbound.Name = "b"
	for name, test := range map[string]struct {
		policies []policy
		bindings []binding
		reason   string
	}{
		"another that differs":    {[]policy{*bad, *good}, []binding{*bound}, ReasonAsShipped},
		"another without binding": {[]policy{*unbound, *good}, []binding{*bound}, ReasonAsShipped},
		"another binding":         {[]policy{*good}, []binding{*audit, *bound}, ReasonAsShipped},
		"none is right":           {[]policy{*bad, *good}, []binding{*audit}, ReasonNotDenied},
		"nothing":                 {nil, nil, ReasonPolicyMissing},
		"a binding alone":         {nil, []binding{*bound}, ReasonPolicyMissing},
		"a policy alone":          {[]policy{*good}, nil, ReasonBindingMissing},
	} {
		if got := compare(test.policies, test.bindings, Kratix()); got.Reason != test.reason {
			t.Errorf("%s: got %+v, want %s", name, got, test.reason)
		}
	}
}

func TestParseServiceAccount(t *testing.T) {
	if got, err := ParseServiceAccount("a/b"); err != nil || got.Username() != "system:serviceaccount:a:b" || got.String() != "a/b" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, text := range []string{"", "a", "a/", "/b", "a/b/c", "a:b/c", "a/b'"} {
		if got, err := ParseServiceAccount(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
