package applycheck

import "k8s.io/apimachinery/pkg/util/validation/field"

// immutableFields returns, by kind, fields that cannot change, as in the validation code of
// Kubernetes 1.33 to 1.36.
func immutableFields() map[string][]immutableField {
	at := func(path ...string) immutableField { return immutableField{path: path} }
	selector := []immutableField{{path: []string{"spec", "selector"}, exact: true}}
	roleRef := []immutableField{
		{path: []string{"roleRef", "kind"}, words: "cannot change roleRef"}, {path: []string{"roleRef", "name"}, words: "cannot change roleRef"},
		{path: []string{"roleRef", "apiGroup"}, absent: "rbac.authorization.k8s.io", words: "cannot change roleRef"},
	}
	whole := func(path ...string) immutableField { return immutableField{path: path, whole: true} }
	return map[string][]immutableField{
		"apps/Deployment": selector, "apps/ReplicaSet": selector, "apps/DaemonSet": selector,
		"rbac.authorization.k8s.io/RoleBinding": roleRef, "rbac.authorization.k8s.io/ClusterRoleBinding": roleRef,
		"/Secret": {{path: []string{"type"}, absent: "Opaque"}},
		"storage.k8s.io/StorageClass": {
			{path: []string{"provisioner"}}, {path: []string{"parameters"}, absent: map[string]any{}, exact: true},
			{path: []string{"reclaimPolicy"}, absent: "Delete"}, {path: []string{"volumeBindingMode"}, absent: "Immediate"},
		},
		"scheduling.k8s.io/PriorityClass": {
			{path: []string{"value"}, forbidden: true, words: "may not be changed in an update."}, {path: []string{"preemptionPolicy"}, absent: "PreemptLowerPriority"},
		},
		"networking.k8s.io/IngressClass": {at("spec", "controller")},
		"node.k8s.io/RuntimeClass":       {at("handler")},
		"storage.k8s.io/CSIDriver": {
			{path: []string{"spec", "attachRequired"}, absent: true},
			{path: []string{"spec", "volumeLifecycleModes"}, absent: []any{"Persistent"}, exact: true},
		},
		"storage.k8s.io/VolumeAttachment":           {whole("spec")},
		"storage.k8s.io/VolumeAttributesClass":      {{path: []string{"driverName"}, forbidden: true, words: "updates to driverName are forbidden."}, {path: []string{"parameters"}, absent: map[string]any{}, exact: true, forbidden: true, words: "updates to parameters are forbidden."}},
		"storage.k8s.io/CSIStorageCapacity":         {whole("nodeTopology"), at("storageClassName")},
		"resource.k8s.io/ResourceClaim":             {whole("spec")},
		"resource.k8s.io/ResourceClaimTemplate":     {whole("spec")},
		"resource.k8s.io/ResourcePoolStatusRequest": {whole("spec")},
		"resource.k8s.io/ResourceSlice":             {whole("spec", "driver"), whole("spec", "pool", "name"), whole("spec", "nodeName")},
		"coordination.k8s.io/LeaseCandidate":        {at("spec", "leaseName")},
		"apps/ControllerRevision":                   {whole("data")},
		"discovery.k8s.io/EndpointSlice":            {at("addressType")},
		"events.k8s.io/Event": {
			whole("regarding"), whole("reason"), whole("action"), whole("note"), whole("type"), whole("reportingController"), whole("reportingInstance"), whole("related"),
		},
		"apiextensions.k8s.io/CustomResourceDefinition": {
			at("spec", "group"), at("spec", "scope"), at("spec", "names", "kind"), at("spec", "names", "plural"),
		},
		"batch/Job": {
			at("spec", "selector"), {path: []string{"spec", "completionMode"}, absent: "NonIndexed"}, at("spec", "podFailurePolicy"),
			at("spec", "backoffLimitPerIndex"), at("spec", "managedBy"), at("spec", "successPolicy"),
		},
	}
}

// changeRules returns, by kind, the functions that check the changes of other fields.
func changeRules() map[string]func(fields, old map[string]any) field.ErrorList {
	return map[string]func(fields, old map[string]any) field.ErrorList{
		"/ConfigMap": immutableData, "/Secret": immutableData, "/Service": serviceChanges, "apps/StatefulSet": statefulSetChanges, "batch/Job": jobChanges,
		"/Pod": podChanges, "/PersistentVolume": volumeChanges, "/PersistentVolumeClaim": claimChanges,
		"storage.k8s.io/CSINode": driverChanges,
	}
}

func immutableData(fields, old map[string]any) field.ErrorList {
	if old["immutable"] != true || hasVariable(fields) || hasVariable(old) {
		return nil
	}
	const words = "field is immutable when `immutable` is set"
	var found field.ErrorList
	if fields["immutable"] != true {
		found = append(found, field.Forbidden(field.NewPath("immutable"), words))
	}
	// a Secret's stringData becomes part of its data
	if fields["stringData"] != nil || old["stringData"] != nil {
		if conflicts(fields["stringData"], old["stringData"]) {
			found = append(found, field.Forbidden(field.NewPath("data"), words))
		}
		return found
	}
	for _, name := range []string{"data", "binaryData"} {
		if !sameTexts(fields[name], old[name]) {
			found = append(found, field.Forbidden(field.NewPath(name), words))
		}
	}
	return found
}

func sameTexts(a, b any) bool {
	x, _ := a.(map[string]any)
	y, _ := b.(map[string]any)
	if len(x) != len(y) {
		return false
	}
	for key, value := range x {
		if other, there := y[key]; !there || other != value {
			return false
		}
	}
	return true
}

// serviceChanges checks that the cluster IP of a Service does not change.
func serviceChanges(fields, old map[string]any) field.ErrorList {
	if textAt(fields, "spec", "type") == "ExternalName" || textAt(old, "spec", "type") == "ExternalName" {
		return nil
	}
	now, before := clusterIP(fields), clusterIP(old)
	switch {
	case now == "" || now == before || hasVariable(now) || hasVariable(before):
		return nil
	case before == "" && now != "None":
		return nil // the new address may be the one that the API server chose
	}
	return field.ErrorList{field.Invalid(field.NewPath("spec", "clusterIPs").Index(0), []string{now}, "may not change once set")}
}

func clusterIP(fields map[string]any) string {
	if ips := listAt(fields, "spec", "clusterIPs"); len(ips) > 0 {
		ip, _ := ips[0].(string)
		return ip
	}
	return textAt(fields, "spec", "clusterIP")
}

func statefulSetChanges(fields, old map[string]any) field.ErrorList {
	spec := func(of map[string]any) map[string]any {
		return without(mapAt(of, "spec"), "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds")
	}
	now, before := spec(fields), spec(old)
	if hasVariable(now) || hasVariable(before) || !differs("spec", now, before) {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath("spec"), "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "+
		"'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")}
}

func jobChanges(fields, old map[string]any) field.ErrorList {
	suspended := anyAt(fields, "spec", "suspend") == true || anyAt(old, "spec", "suspend") == true
	var found field.ErrorList
	if f := (immutableField{path: []string{"spec", "template"}, whole: true}); !suspended {
		if err := f.compare(fields, old); err != nil {
			found = append(found, err)
		}
	}
	indexed := textAt(fields, "spec", "completionMode") == "Indexed"
	if f := (immutableField{path: []string{"spec", "completions"}}); !indexed {
		if err := f.compare(fields, old); err != nil {
			found = append(found, err)
		}
	}
	return found
}
