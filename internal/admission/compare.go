package admission

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	api "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type (
	policy  = api.ValidatingAdmissionPolicy
	binding = api.ValidatingAdmissionPolicyBinding
)

// The expressions of the shipped policy: the validation, and the beginning of the match condition.
const (
	denies = "request.operation == 'UPDATE' && object.?spec == oldObject.?spec"
	who    = "request.userInfo.username == "
)

const (
	policyKind  = "ValidatingAdmissionPolicy"
	bindingKind = "ValidatingAdmissionPolicyBinding"
)

type problem struct{ reason, message, fix string }

type judged[O any] struct {
	object   O
	name     string
	problems []problem
}

// compare returns the verdict on the policies and bindings of a cluster, regardless of their names.
func compare(policies []policy, bindings []binding, account ServiceAccount) Verdict {
	var own []judged[policy]
	for _, p := range policies {
		if isOurs(p, account) {
			own = append(own, judged[policy]{p, p.Name, policyProblems(p.Spec, account)})
		}
	}
	if len(own) == 0 {
		return Verdict{
			State: NotInForce, Reason: ReasonPolicyMissing, Object: policyKind + " kratix-schedule-places",
			Message: "no " + policyKind + " keeps ServiceAccount " + account.String() + " from placing Works", Fix: fixApply,
		}
	}
	var first Verdict
	for i, p := range sorted(own) {
		verdict := verdictOf(p, bindings, account)
		if verdict.State == InForce {
			return verdict
		}
		if i == 0 {
			first = verdict
		}
	}
	return first
}

func verdictOf(p judged[policy], bindings []binding, account ServiceAccount) Verdict {
	if len(p.problems) > 0 {
		return notInForce(policyKind, p.name, p.problems)
	}
	var bound []judged[binding]
	for _, b := range bindings {
		if b.Spec.PolicyName == p.name {
			bound = append(bound, judged[binding]{b, b.Name, bindingProblems(b.Spec)})
		}
	}
	if len(bound) == 0 {
		return Verdict{
			State: NotInForce, Reason: ReasonBindingMissing, Object: bindingKind + " " + p.name,
			Message: "no " + bindingKind + " has the policyName " + p.name, Fix: fixApply,
		}
	}
	b := sorted(bound)[0]
	if len(b.problems) > 0 {
		return notInForce(bindingKind, b.name, b.problems)
	}
	return Verdict{
		State: InForce, Reason: ReasonAsShipped, Object: policyKind + " " + p.name,
		Message: fmt.Sprintf("%s %s, with the binding %s, does not let ServiceAccount %s create WorkPlacements or change their spec (read, not tried)",
			policyKind, p.name, b.name, account),
	}
}

func sorted[O any](all []judged[O]) []judged[O] {
	slices.SortFunc(all, func(a, b judged[O]) int {
		return cmp.Or(cmp.Compare(len(a.problems), len(b.problems)), cmp.Compare(a.name, b.name))
	})
	return all
}

// notInForce returns the verdict on an object with problems. The first problem determines the
// reason and the fix.
func notInForce(kind, name string, problems []problem) Verdict {
	var messages []string
	for _, p := range problems {
		messages = append(messages, p.message)
	}
	return Verdict{
		State: NotInForce, Reason: problems[0].reason, Object: kind + " " + name,
		Message: kind + " " + name + " " + strings.Join(messages, "; it "), Fix: problems[0].fix,
	}
}

// isOurs reports whether a policy is probably a version of the shipped policy.
func isOurs(p policy, account ServiceAccount) bool {
	return p.Labels["app.kubernetes.io/name"] == "kratix-schedule" ||
		slices.ContainsFunc(p.Spec.Validations, isDenying) ||
		slices.ContainsFunc(p.Spec.MatchConditions, func(c api.MatchCondition) bool { return normal(c.Expression) == condition(account) })
}

func isDenying(v api.Validation) bool { return normal(v.Expression) == normal(denies) }

// condition returns the normalized match condition for requests of the account.
func condition(account ServiceAccount) string { return normal(who + "'" + account.Username() + "'") }

// policyProblems returns the reasons why a policy does not deny the account the same requests as
// the shipped policy. Additional validations are no problem, because a request must pass all of
// them.
func policyProblems(spec api.ValidatingAdmissionPolicySpec, account ServiceAccount) []problem {
	var found []problem
	differs := func(format string, args ...any) {
		found = append(found, problem{ReasonPolicyDiffers, fmt.Sprintf(format, args...), fixApply})
	}
	for _, c := range spec.MatchConditions {
		switch got := normal(c.Expression); {
		case got == condition(account):
		case userOf(got) != "":
			found = append(found, problem{ReasonOtherServiceAccount, fmt.Sprintf("concerns the user %s, not ServiceAccount %s", userOf(got), account), fixAccount})
		default:
			differs("concerns fewer requests, by its matchCondition %s: %s", c.Name, c.Expression)
		}
	}
	if !slices.ContainsFunc(spec.Validations, isDenying) {
		differs("lacks the validation %q", denies)
	}
	if spec.FailurePolicy != nil && *spec.FailurePolicy != api.Fail {
		differs("has the failurePolicy %s: a request that it fails to judge is allowed", *spec.FailurePolicy)
	}
	if spec.ParamKind != nil {
		differs("has parameters (paramKind %s)", spec.ParamKind.Kind)
	}
	constraints := spec.MatchConstraints
	if constraints == nil {
		constraints = &api.MatchResources{}
	}
	for _, operation := range []api.OperationType{api.Create, api.Update} {
		if !covers(constraints.ResourceRules, operation) {
			differs("does not concern %s of %s", operation, resource)
		}
	}
	for _, narrowed := range narrows(*constraints) {
		differs("%s", narrowed)
	}
	return found
}

// bindingProblems returns the reasons why a binding does not enforce its policy.
func bindingProblems(spec api.ValidatingAdmissionPolicyBindingSpec) []problem {
	var found []problem
	if !slices.Contains(spec.ValidationActions, api.Deny) {
		found = append(found, problem{ReasonNotDenied, fmt.Sprintf("has the validationActions %v without Deny: it denies nothing", spec.ValidationActions), fixActions})
	}
	if spec.MatchResources == nil {
		return found
	}
	differs := func(message string) { found = append(found, problem{ReasonBindingDiffers, message, fixApply}) }
	for _, operation := range []api.OperationType{api.Create, api.Update} {
		if rules := spec.MatchResources.ResourceRules; len(rules) > 0 && !covers(rules, operation) {
			differs(fmt.Sprintf("does not concern %s of %s", operation, resource))
		}
	}
	for _, narrowed := range narrows(*spec.MatchResources) {
		differs(narrowed)
	}
	return found
}

// narrows returns a message for each restriction that may exclude WorkPlacements from a match.
func narrows(match api.MatchResources) []string {
	var found []string
	for field, selector := range map[string]*metav1.LabelSelector{"namespaceSelector": match.NamespaceSelector, "objectSelector": match.ObjectSelector} {
		if selector != nil && len(selector.MatchLabels)+len(selector.MatchExpressions) > 0 {
			found = append(found, "concerns fewer objects, by its "+field+" "+metav1.FormatLabelSelector(selector))
		}
	}
	for _, rule := range match.ExcludeResourceRules {
		if names(rule.RuleWithOperations, api.Create) || names(rule.RuleWithOperations, api.Update) {
			found = append(found, "excludes "+resource+", by its excludeResourceRules")
		}
	}
	slices.Sort(found)
	return found
}

const (
	resource = "workplacements.platform.kratix.io"
	group    = "platform.kratix.io"
	version  = "v1alpha1"
	plural   = "workplacements"
)

// covers reports whether a rule applies to an operation on every WorkPlacement.
func covers(rules []api.NamedRuleWithOperations, operation api.OperationType) bool {
	return slices.ContainsFunc(rules, func(rule api.NamedRuleWithOperations) bool {
		return len(rule.ResourceNames) == 0 && names(rule.RuleWithOperations, operation)
	})
}

func names(rule api.RuleWithOperations, operation api.OperationType) bool {
	has := func(all []string, names ...string) bool {
		return slices.ContainsFunc(all, func(s string) bool { return s == "*" || slices.Contains(names, s) })
	}
	return has(rule.APIGroups, group) && has(rule.APIVersions, version) && has(rule.Resources, plural, "*/*") &&
		(rule.Scope == nil || *rule.Scope != api.ClusterScope) &&
		(slices.Contains(rule.Operations, operation) || slices.Contains(rule.Operations, api.OperationAll))
}

// userOf returns the user in a normalized expression about the user of a request, or "" for other
// expressions.
func userOf(expression string) string {
	if found := aboutUser.FindStringSubmatch(expression); found != nil {
		return found[1]
	}
	return ""
}

var aboutUser = regexp.MustCompile(`^request\.userInfo\.username=='([^']*)'$`)

// normal returns a CEL expression without spaces between tokens, and with single quotes.
func normal(expression string) string {
	var out strings.Builder
	quote := rune(0)
	for _, r := range expression {
		switch {
		case quote == 0 && strings.ContainsRune(" \t\r\n", r):
			continue
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
			r = '\''
		case r == quote:
			quote = 0
			r = '\''
		}
		out.WriteRune(r)
	}
	return out.String()
}
