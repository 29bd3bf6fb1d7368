package applycheck

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// checkRequired checks a built-in object against rules that are not in the schemas, and returns the
// faults. fields are the fields that Flux sends.
func checkRequired(o *objectFacts, content *kustomize.Content, fields map[string]any) []fault {
	found := checkValues(o, fields)
	if at, is := podTemplateOf(o.GroupKind()); is {
		if o.Group == "apps" {
			found = append(found, checkSelector(fields)...)
		}
		found = append(found, checkPod(mapAt(fields, at...), field.NewPath(at[0], at[1:]...), o.Group+"/"+o.Kind)...)
	}
	switch o.Group + "/" + o.Kind {
	case "/Pod":
		found = append(found, checkPod(fields, nil, "/Pod")...)
	case "/Service":
		found = append(found, checkService(fields)...)
	case "/PersistentVolumeClaim":
		found = append(found, checkVolumeClaim(fields)...)
	case "/ReplicationController":
		found = append(found, checkReplicationController(fields)...)
	case "networking.k8s.io/Ingress":
		found = append(found, checkIngress(fields)...)
	case "apiregistration.k8s.io/APIService":
		found = append(found, checkAPIService(o, fields)...)
	case "rbac.authorization.k8s.io/RoleBinding", "rbac.authorization.k8s.io/ClusterRoleBinding":
		found = append(found, checkBinding(o, fields)...)
	}
	faults := make([]fault, 0, len(found))
	for _, err := range found {
		if len(faults) == maxFaults {
			break
		}
		f := invalid(finding.InvalidField(), o, lineOf(content, err.Field), err)
		f.versioned = o.Kind == "StatefulSet"
		faults = append(faults, f)
	}
	return faults
}

func requireText(fields map[string]any, path ...string) field.ErrorList {
	if value := anyAt(fields, path...); value == nil || value == "" {
		return field.ErrorList{field.Required(field.NewPath(path[0], path[1:]...), "")}
	}
	return nil
}

func checkSelector(fields map[string]any) field.ErrorList {
	at := field.NewPath("spec", "selector")
	raw := mapAt(fields, "spec", "selector")
	if raw == nil {
		if anyAt(fields, "spec", "selector") != nil {
			return nil
		}
		return field.ErrorList{field.Required(at, "")}
	}
	template := mapAt(fields, "spec", "template", "metadata", "labels")
	if hasVariable(raw) || hasVariable(template) {
		return nil
	}
	decoded, err := decodeSelector(raw)
	if err != nil {
		return nil
	}
	if len(decoded.MatchLabels)+len(decoded.MatchExpressions) == 0 {
		return field.ErrorList{field.Invalid(at, raw, "empty selector is invalid")}
	}
	selector, err := metav1.LabelSelectorAsSelector(decoded)
	if err != nil {
		return field.ErrorList{field.Invalid(at, raw, err.Error())}
	}
	set := labels.Set{}
	for key, value := range template {
		text, isText := value.(string)
		if !isText {
			return nil
		}
		set[key] = text
	}
	if !selector.Matches(set) {
		return field.ErrorList{field.Invalid(field.NewPath("spec", "template", "metadata", "labels"), template, "`selector` does not match template `labels`")}
	}
	return nil
}

// checkPod checks a pod or a pod template. The mounts of a StatefulSet may also name its volume
// claim templates.
func checkPod(pod map[string]any, base *field.Path, kind string) field.ErrorList {
	spec := mapAt(pod, "spec")
	at := base.Child("spec")
	if spec == nil {
		if anyAt(pod, "spec") != nil {
			return nil
		}
		return field.ErrorList{field.Required(at.Child("containers"), "")}
	}
	var found field.ErrorList
	containers, isList := spec["containers"].([]any)
	if spec["containers"] == nil || isList && len(containers) == 0 {
		found = append(found, field.Required(at.Child("containers"), ""))
	}
	for _, list := range []string{"containers", "initContainers"} {
		for i, item := range listAt(spec, list) {
			container, isMap := item.(map[string]any)
			if isMap && (container["image"] == nil || container["image"] == "") {
				found = append(found, field.Required(at.Child(list).Index(i).Child("image"), ""))
			}
		}
	}
	found = append(found, checkPodValues(spec, at, kind != "apps/StatefulSet")...)
	return append(found, checkRestartPolicy(spec, at.Child("restartPolicy"), kind)...)
}

func checkRestartPolicy(spec map[string]any, at *field.Path, kind string) field.ErrorList {
	policy, isText := spec["restartPolicy"].(string)
	if spec["restartPolicy"] != nil && !isText || hasVariable(policy) {
		return nil
	}
	switch kind {
	case "apps/Deployment", "apps/ReplicaSet", "apps/DaemonSet", "apps/StatefulSet":
		if policy == "OnFailure" || policy == "Never" {
			return field.ErrorList{field.NotSupported(at, policy, []string{"Always"})}
		}
	case "batch/Job", "batch/CronJob":
		if policy == "" || policy == "Always" {
			return field.ErrorList{field.Required(at, "valid values: \"OnFailure\", \"Never\"")}
		}
	}
	return nil
}

func checkService(fields map[string]any) field.ErrorList {
	typ, cluster := textAt(fields, "spec", "type"), textAt(fields, "spec", "clusterIP")
	at := field.NewPath("spec")
	switch {
	case typ == "ExternalName":
		return requireText(fields, "spec", "externalName")
	case hasVariable(typ) || hasVariable(cluster):
		return nil
	case anyAt(fields, "spec", "ports") == nil && cluster != "None":
		return field.ErrorList{field.Required(at.Child("ports"), "")}
	}
	var found field.ErrorList
	ports := listAt(fields, "spec", "ports")
	for i, item := range ports {
		port, isMap := item.(map[string]any)
		if isMap && len(ports) > 1 && (port["name"] == nil || port["name"] == "") {
			found = append(found, field.Required(at.Child("ports").Index(i).Child("name"), ""))
		}
		if number, isNumber := port["port"].(int64); isNumber && (number < 1 || number > 65535) {
			found = append(found, field.Invalid(at.Child("ports").Index(i).Child("port"), number, "must be between 1 and 65535, inclusive"))
		}
	}
	return found
}

func checkVolumeClaim(fields map[string]any) field.ErrorList {
	var found field.ErrorList
	if modes := anyAt(fields, "spec", "accessModes"); modes == nil || len(listAt(fields, "spec", "accessModes")) == 0 && !hasVariable(modes) {
		found = append(found, field.Required(field.NewPath("spec", "accessModes"), "at least 1 access mode is required"))
	}
	if anyAt(fields, "spec", "resources", "requests", "storage") == nil {
		found = append(found, field.Required(field.NewPath("spec", "resources").Key("storage"), ""))
	}
	return found
}
