package applycheck

import "k8s.io/apimachinery/pkg/util/validation/field"

func podChanges(fields, old map[string]any) field.ErrorList {
	now, before := mutablePod(mapAt(fields, "spec")), mutablePod(mapAt(old, "spec"))
	if hasVariable(now) || hasVariable(before) || !differs("spec", now, before) {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath("spec"), "pod updates may not change fields other than `spec.containers[*].image`,"+
		"`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"+
		"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)")}
}

func mutablePod(spec map[string]any) map[string]any {
	spec = without(spec, "activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates", "ephemeralContainers", "nodeSelector", "affinity")
	for _, list := range []string{"containers", "initContainers"} {
		var copied []any
		for _, item := range listAt(spec, list) {
			container, _ := item.(map[string]any)
			copied = append(copied, without(container, "image", "resources"))
		}
		spec[list] = copied
	}
	return spec
}

func volumeChanges(fields, old map[string]any) field.ErrorList {
	source := func(of map[string]any) map[string]any {
		return without(mapAt(of, "spec"), "capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName",
			"mountOptions", "volumeMode", "nodeAffinity", "volumeAttributesClassName")
	}
	now, before := source(fields), source(old)
	if hasVariable(now) || hasVariable(before) || !differs("spec", now, before) {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath("spec", "persistentvolumesource"), "spec.persistentvolumesource is immutable after creation")}
}

// claimChanges checks the change of a PersistentVolumeClaim's spec. It ignores data sources,
// because the API server drops unsupported ones.
func claimChanges(fields, old map[string]any) field.ErrorList {
	spec := func(of map[string]any) map[string]any {
		spec := without(mapAt(of, "spec"), "volumeAttributesClassName", "dataSource", "dataSourceRef")
		spec["resources"] = mapAt(spec, "resources", "limits")
		return spec
	}
	now, before := spec(fields), spec(old)
	if hasVariable(now) || hasVariable(before) || !differs("spec", now, before) {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath("spec"), "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims")}
}

// driverChanges checks that no driver of a CSINode changes. Drivers may be added and removed.
func driverChanges(fields, old map[string]any) field.ErrorList {
	now := listAt(fields, "spec", "drivers")
	for _, before := range listAt(old, "spec", "drivers") {
		for _, driver := range now {
			x, _ := driver.(map[string]any)
			y, _ := before.(map[string]any)
			if x["name"] == y["name"] && !hasVariable(x) && !hasVariable(y) && differs("", x, y) {
				return field.ErrorList{field.Invalid(field.NewPath("spec", "drivers"), now, "field is immutable")}
			}
		}
	}
	return nil
}
