package applycheck

import (
	"fmt"

	names "k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// checkMetadata returns the faults of the name, the labels and the annotations of an object.
// builtin means that the kind is one of Kubernetes itself; the name of an object that is
// there already is not checked again by the API server.
func checkMetadata(o *objectFacts, content *kustomize.Content, builtin bool) []fault {
	metadata, _ := content.Fields["metadata"].(map[string]any)
	decoded := &metav1.ObjectMeta{}
	if runtime.DefaultUnstructuredConverter.FromUnstructured(metadata, decoded) != nil {
		return nil // a field has a wrong type, which the check of the schema finds
	}
	decoded.Namespace, decoded.ManagedFields = "", nil
	found := validation.ValidateObjectMeta(decoded, false, nameValidator(o, builtin), field.NewPath("metadata"))
	if o.namespace != "" {
		for _, words := range validation.ValidateNamespaceName(o.namespace, false) {
			found = append(found, field.Invalid(field.NewPath("metadata", "namespace"), o.namespace, words))
		}
	}
	found = append(found, checkTemplates(o, content.Fields)...)
	var faults []fault
	for _, err := range found {
		if hasVariable(err.BadValue) || len(faults) == maxFaults {
			continue
		}
		if value, there := valueAt(content.Fields, err.Field); there && hasVariable(value) {
			continue
		}
		faults = append(faults, invalid(finding.InvalidMetadata(), o, lineOf(content, err.Field), err))
	}
	return faults
}

// nameValidator returns the check of the names of a kind: a path segment for RBAC and for
// kinds whose rule is not known, else a DNS subdomain or a DNS label.
func nameValidator(o *objectFacts, builtin bool) validation.ValidateNameFunc {
	switch {
	case !builtin:
		return validation.NameIsDNSSubdomain
	case o.Group == "" && o.Kind == "Namespace":
		return validation.ValidateNamespaceName
	case o.Group == "" && o.Kind == "Service":
		// A newer API server may accept a name that starts with a digit.
		return validation.NameIsDNSLabel
	case o.Group == "batch" && o.Kind == "CronJob":
		return cronJobName
	case subdomainKinds()[o.Group+"/"+o.Kind]:
		return validation.NameIsDNSSubdomain
	}
	return func(name string, _ bool) []string { return names.IsPathSegmentName(name) }
}

// cronJobName checks the name of a CronJob, to which the Jobs' suffix of 11 characters is
// appended.
func cronJobName(name string, prefix bool) []string {
	found := validation.NameIsDNSSubdomain(name, prefix)
	if len(name) > utilvalidation.DNS1035LabelMaxLength-11 {
		found = append(found, fmt.Sprintf("must be no more than %d characters", utilvalidation.DNS1035LabelMaxLength-11))
	}
	return found
}

// subdomainKinds are the kinds of Kubernetes whose names are DNS subdomains.
func subdomainKinds() map[string]bool {
	return map[string]bool{
		"/ConfigMap": true, "/Secret": true, "/ServiceAccount": true, "/Pod": true, "/PersistentVolume": true, "/PersistentVolumeClaim": true,
		"/ReplicationController": true, "/ResourceQuota": true, "/LimitRange": true, "/PodTemplate": true, "/Endpoints": true,
		"apps/Deployment": true, "apps/ReplicaSet": true, "apps/DaemonSet": true, "apps/StatefulSet": true, "batch/Job": true,
		"networking.k8s.io/Ingress": true, "networking.k8s.io/NetworkPolicy": true, "networking.k8s.io/IngressClass": true,
		"policy/PodDisruptionBudget": true, "autoscaling/HorizontalPodAutoscaler": true, "storage.k8s.io/StorageClass": true,
		"scheduling.k8s.io/PriorityClass": true, "node.k8s.io/RuntimeClass": true, "coordination.k8s.io/Lease": true,
	}
}

// checkTemplates returns what is wrong with the labels and annotations of the pod template of
// a workload.
func checkTemplates(o *objectFacts, fields map[string]any) field.ErrorList {
	at, is := podTemplateOf(o.GroupKind())
	if !is {
		return nil
	}
	template := mapAt(fields, at...)
	metadata, _ := template["metadata"].(map[string]any)
	decoded := &metav1.ObjectMeta{}
	if metadata == nil || runtime.DefaultUnstructuredConverter.FromUnstructured(metadata, decoded) != nil {
		return nil
	}
	base := field.NewPath(at[0], at[1:]...)
	found := validation.ValidateAnnotations(decoded.Annotations, base.Child("annotations"))
	for key, value := range decoded.Labels {
		for _, words := range utilvalidation.IsQualifiedName(key) {
			found = append(found, field.Invalid(base.Child("labels"), key, words))
		}
		for _, words := range utilvalidation.IsValidLabelValue(value) {
			found = append(found, field.Invalid(base.Child("labels"), value, words))
		}
	}
	return found
}
