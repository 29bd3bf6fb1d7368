package applycheck

import (
	"maps"
	"slices"
	"strings"

	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkValues checks the values of an object against rules that are not in the schemas.
func checkValues(o *objectFacts, fields map[string]any) field.ErrorList {
	switch o.Group + "/" + o.Kind {
	case "/ConfigMap":
		return append(checkKeys(fields, "data"), checkKeys(fields, "binaryData")...)
	case "/Secret":
		return append(checkKeys(fields, "data"), checkSecretType(fields)...)
	case "/Service":
		return checkServicePorts(fields)
	case "apps/Deployment", "apps/ReplicaSet", "apps/StatefulSet", "/ReplicationController":
		return append(notNegative(fields, "spec", "replicas"), checkStrategy(o, fields)...)
	case "autoscaling/HorizontalPodAutoscaler":
		return checkAutoscaler(fields)
	case "policy/PodDisruptionBudget":
		if anyAt(fields, "spec", "minAvailable") != nil && anyAt(fields, "spec", "maxUnavailable") != nil {
			return field.ErrorList{field.Invalid(field.NewPath("spec"), "", "minAvailable and maxUnavailable cannot be both set")}
		}
	case "networking.k8s.io/Ingress":
		return checkIngressRules(fields)
	case "networking.k8s.io/ServiceCIDR":
		if cidrs := anyAt(fields, "spec", "cidrs"); cidrs == nil || isEmpty(cidrs) {
			return field.ErrorList{field.Required(field.NewPath("spec", "cidrs"), "at least one CIDR required")}
		}
	}
	return nil
}

func checkKeys(fields map[string]any, name string) field.ErrorList {
	var found field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(mapAt(fields, name))) {
		if !isVariable(key) {
			found = append(found, invalidText(field.NewPath(name).Key(key), key, utilvalidation.IsConfigMapKey(key))...)
		}
	}
	return found
}

func checkSecretType(fields map[string]any) field.ErrorList {
	keys := map[string][]string{
		"kubernetes.io/tls": {"tls.crt", "tls.key"}, "kubernetes.io/dockerconfigjson": {".dockerconfigjson"},
		"kubernetes.io/dockercfg": {".dockercfg"}, "kubernetes.io/ssh-auth": {"ssh-privatekey"},
	}[textIn(fields, "type")]
	if hasVariable(fields["data"]) || hasVariable(fields["stringData"]) {
		return nil // the variable may contain a required key
	}
	var found field.ErrorList
	for _, key := range keys {
		_, encoded := mapAt(fields, "data")[key]
		_, plain := mapAt(fields, "stringData")[key]
		if !encoded && !plain {
			found = append(found, field.Required(field.NewPath("data").Key(key), ""))
		}
	}
	return found
}

func checkServicePorts(fields map[string]any) field.ErrorList {
	var found field.ErrorList
	names := map[string]bool{}
	for i, item := range listAt(fields, "spec", "ports") {
		port, _ := item.(map[string]any)
		at := field.NewPath("spec", "ports").Index(i)
		if name := textIn(port, "name"); name != "" && !isVariable(name) {
			found = append(found, invalidText(at.Child("name"), name, utilvalidation.IsDNS1123Label(name))...)
			if names[name] {
				found = append(found, field.Duplicate(at.Child("name"), name))
			}
			names[name] = true
		}
		switch target := port["targetPort"].(type) {
		case int64:
			if target != 0 {
				found = append(found, invalidPort(at.Child("targetPort"), target)...)
			}
		case string:
			if target != "" && !isVariable(target) {
				found = append(found, invalidText(at.Child("targetPort"), target, utilvalidation.IsValidPortName(target))...)
			}
		}
	}
	return found
}

func notNegative(fields map[string]any, path ...string) field.ErrorList {
	if number, isNumber := anyAt(fields, path...).(int64); isNumber && number < 0 {
		return field.ErrorList{field.Invalid(field.NewPath(path[0], path[1:]...), number, "must be greater than or equal to 0")}
	}
	return nil
}

func checkStrategy(o *objectFacts, fields map[string]any) field.ErrorList {
	if o.Kind != "Deployment" || textAt(fields, "spec", "strategy", "type") != "Recreate" || anyAt(fields, "spec", "strategy", "rollingUpdate") == nil {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath("spec", "strategy", "rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'")}
}

func checkAutoscaler(fields map[string]any) field.ErrorList {
	least, hasLeast := anyAt(fields, "spec", "minReplicas").(int64)
	most, hasMost := anyAt(fields, "spec", "maxReplicas").(int64)
	at := field.NewPath("spec", "maxReplicas")
	switch {
	case hasMost && most < 0:
		return field.ErrorList{field.Invalid(at, most, "must be greater than or equal to 1")}
	case hasMost && hasLeast && most != 0 && most < least:
		return field.ErrorList{field.Invalid(at, most, "must be greater than or equal to `minReplicas`")}
	}
	return nil
}

func checkIngressRules(fields map[string]any) field.ErrorList {
	var found field.ErrorList
	for i, rule := range listAt(fields, "spec", "rules") {
		of, _ := rule.(map[string]any)
		for j, item := range listAt(of, "http", "paths") {
			path, _ := item.(map[string]any)
			at := field.NewPath("spec", "rules").Index(i).Child("http", "paths").Index(j)
			text, isText := path["path"].(string)
			isText = isText || path["path"] == nil
			prefix := path["pathType"] == "Exact" || path["pathType"] == "Prefix"
			if isText && !isVariable(text) && !strings.HasPrefix(text, "/") && (prefix || text != "" && path["pathType"] == "ImplementationSpecific") {
				found = append(found, field.Invalid(at.Child("path"), text, "must be an absolute path"))
			}
			if backend, isMap := path["backend"].(map[string]any); isMap && prefix && backend["service"] == nil && backend["resource"] == nil {
				found = append(found, field.Invalid(at.Child("backend"), "", "resource or service backend is required"))
			}
		}
	}
	return found
}
