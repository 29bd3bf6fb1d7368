package applycheck

import (
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkReplicationController checks that the selector matches the labels of the pod template. A
// missing selector matches, because its default is these labels.
func checkReplicationController(fields map[string]any) field.ErrorList {
	selector, template := mapAt(fields, "spec", "selector"), mapAt(fields, "spec", "template", "metadata", "labels")
	if hasVariable(selector) || hasVariable(template) || mapAt(fields, "spec", "template") == nil {
		return nil
	}
	for key, value := range selector {
		if template[key] != value {
			at := field.NewPath("spec", "template", "metadata", "labels")
			return field.ErrorList{field.Invalid(at, textsOf(template), "`selector` does not match template `labels`")}
		}
	}
	return nil
}

func textsOf(fields map[string]any) map[string]string {
	var texts map[string]string
	for key, value := range fields {
		if text, is := value.(string); is {
			if texts == nil {
				texts = map[string]string{}
			}
			texts[key] = text
		}
	}
	return texts
}

func checkIngress(fields map[string]any) field.ErrorList {
	rules := anyAt(fields, "spec", "rules")
	if anyAt(fields, "spec", "defaultBackend") != nil || hasVariable(rules) || len(listAt(fields, "spec", "rules")) > 0 {
		return nil
	}
	if _, isList := rules.([]any); rules != nil && !isList {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath("spec"), nil, "either `defaultBackend` or `rules` must be specified")}
}

func checkAPIService(o *objectFacts, fields map[string]any) field.ErrorList {
	var found field.ErrorList
	version, group := textAt(fields, "spec", "version"), textAt(fields, "spec", "group")
	if want := version + "." + group; o.name != want && !hasVariable(want) && !hasVariable(o.name) && group != "" && version != "" {
		found = append(found, field.Invalid(field.NewPath("metadata", "name"), o.name, "must be `spec.version+\".\"+spec.group`: "+`"`+want+`"`))
	}
	for name, words := range map[string]string{"groupPriorityMinimum": "must be positive and less than 20000", "versionPriority": "must be positive and less than 1000"} {
		if value := anyAt(fields, "spec", name); value == nil || value == int64(0) {
			found = append(found, field.Invalid(field.NewPath("spec", name), 0, words))
		}
	}
	return found
}

func checkBinding(o *objectFacts, fields map[string]any) field.ErrorList {
	var found field.ErrorList
	check := func(at *field.Path, value any, allowed ...string) {
		text, isText := value.(string)
		if value != nil && !isText || hasVariable(text) {
			return
		}
		for _, one := range allowed {
			if text == one {
				return
			}
		}
		found = append(found, field.NotSupported(at, text, allowed))
	}
	roles := []string{"Role", "ClusterRole"}
	if o.Kind == "ClusterRoleBinding" {
		roles = roles[1:]
	}
	if roleRef := mapAt(fields, "roleRef"); roleRef != nil {
		check(field.NewPath("roleRef", "kind"), roleRef["kind"], roles...)
	}
	for i, item := range listAt(fields, "subjects") {
		if subject, isMap := item.(map[string]any); isMap {
			check(field.NewPath("subjects").Index(i).Child("kind"), subject["kind"], "ServiceAccount", "User", "Group")
		}
	}
	return found
}
