package applycheck

import (
	"fmt"

	names "k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/api/validation"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// checkMetadata returns the faults of an object's name, labels and annotations. builtin means that
// Kubernetes defines the kind.
func checkMetadata(o *objectFacts, content *kustomize.Content, builtin bool) []fault {
	metadata, _ := content.Fields["metadata"].(map[string]any)
	decoded, err := decodeMetadata(metadata)
	if err != nil {
		return nil // a field has a wrong type, which the check of the schema reports
	}
	decoded.Namespace, decoded.ManagedFields = "", nil
	found := validation.ValidateObjectMeta(decoded, false, nameValidator(o, builtin), field.NewPath("metadata"))
	if o.namespace != "" {
		for _, words := range validation.ValidateNamespaceName(o.namespace, false) {
			found = append(found, field.Invalid(field.NewPath("metadata", "namespace"), o.namespace, words))
		}
	}
	found = append(found, checkTemplates(o, content.Fields)...)
	faults := unnameable(o, content)
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

// unnameable returns the fault of a name that cannot be part of a URL, if any.
func unnameable(o *objectFacts, content *kustomize.Content) []fault {
	words := names.IsPathSegmentName(o.name)
	if len(words) == 0 || hasVariable(o.name) {
		return nil
	}
	f := newFault(finding.InvalidMetadata(), o, lineOf(content, "metadata.name"), fmt.Sprintf("invalid resource name %q: %v", o.name, words))
	f.quoted = o.flux() + " dry-run failed: " + f.words
	return []fault{f}
}

// nameValidator returns the function that checks the names of a kind.
func nameValidator(o *objectFacts, builtin bool) validation.ValidateNameFunc {
	switch {
	case !builtin:
		return validation.NameIsDNSSubdomain
	case o.Group == "" && o.Kind == "Namespace":
		return validation.ValidateNamespaceName
	case o.Group == "" && o.Kind == "Service":
		// A newer API server may accept a name that begins with a digit.
		return validation.NameIsDNSLabel
	case o.Group == "batch" && o.Kind == "CronJob":
		return cronJobName
	case o.Group == "coordination.k8s.io" && o.Kind == "LeaseCandidate":
		return func(name string, _ bool) []string { return utilvalidation.IsConfigMapKey(name) }
	case o.Group == "networking.k8s.io" && o.Kind == "IPAddress":
		return addressName
	case subdomainKinds[o.Group+"/"+o.Kind]:
		return validation.NameIsDNSSubdomain
	}
	return func(name string, _ bool) []string { return names.IsPathSegmentName(name) }
}

// cronJobName checks the name of a CronJob. The names of its Jobs are 11 characters longer.
func cronJobName(name string, prefix bool) []string {
	found := validation.NameIsDNSSubdomain(name, prefix)
	if len(name) > utilvalidation.DNS1035LabelMaxLength-11 {
		found = append(found, fmt.Sprintf("must be no more than %d characters", utilvalidation.DNS1035LabelMaxLength-11))
	}
	return found
}

func addressName(name string, _ bool) []string {
	found := utilvalidation.IsValidIP(nil, name)
	words := make([]string, 0, len(found))
	for _, err := range found {
		words = append(words, err.Detail)
	}
	return words
}

var subdomainKinds = map[string]bool{
	"/ConfigMap": true, "/Secret": true, "/ServiceAccount": true, "/Pod": true, "/PersistentVolume": true, "/PersistentVolumeClaim": true,
	"/ReplicationController": true, "/ResourceQuota": true, "/LimitRange": true, "/PodTemplate": true, "/Endpoints": true, "/Node": true,
	"apps/Deployment": true, "apps/ReplicaSet": true, "apps/DaemonSet": true, "apps/StatefulSet": true, "apps/ControllerRevision": true,
	"batch/Job": true, "autoscaling/HorizontalPodAutoscaler": true,
	"networking.k8s.io/Ingress": true, "networking.k8s.io/NetworkPolicy": true, "networking.k8s.io/IngressClass": true, "networking.k8s.io/ServiceCIDR": true,
	"discovery.k8s.io/EndpointSlice": true, "coordination.k8s.io/Lease": true, "scheduling.k8s.io/PriorityClass": true, "node.k8s.io/RuntimeClass": true,
	"storage.k8s.io/StorageClass": true, "storage.k8s.io/CSINode": true, "storage.k8s.io/CSIStorageCapacity": true, "storage.k8s.io/VolumeAttachment": true,
	"storage.k8s.io/VolumeAttributesClass": true, "storage.k8s.io/CSIDriver": true,
	"admissionregistration.k8s.io/ValidatingWebhookConfiguration": true, "admissionregistration.k8s.io/MutatingWebhookConfiguration": true,
	"admissionregistration.k8s.io/ValidatingAdmissionPolicy": true, "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding": true,
	"admissionregistration.k8s.io/MutatingAdmissionPolicy": true, "admissionregistration.k8s.io/MutatingAdmissionPolicyBinding": true,
	"resource.k8s.io/DeviceClass": true, "resource.k8s.io/ResourceClaim": true, "resource.k8s.io/ResourceClaimTemplate": true,
	"resource.k8s.io/ResourceSlice": true, "resource.k8s.io/DeviceTaintRule": true, "resource.k8s.io/ResourcePoolStatusRequest": true,
	"flowcontrol.apiserver.k8s.io/FlowSchema": true, "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration": true,
}

func checkTemplates(o *objectFacts, fields map[string]any) field.ErrorList {
	at, is := podTemplateOf(o.GroupKind())
	if !is {
		return nil
	}
	template := mapAt(fields, at...)
	metadata, _ := template["metadata"].(map[string]any)
	if metadata == nil {
		return nil
	}
	decoded, err := decodeMetadata(metadata)
	if err != nil {
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
