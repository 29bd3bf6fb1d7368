package applycheck

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkPodValues returns the errors about values in the spec of a pod. allVolumes means that the
// spec has all volumes of the pod.
func checkPodValues(spec map[string]any, at *field.Path, allVolumes bool) field.ErrorList {
	var found field.ErrorList
	volumes, known := volumesOf(spec)
	known = known && allVolumes
	for _, list := range []string{"containers", "initContainers"} {
		for i, item := range listAt(spec, list) {
			container, isMap := item.(map[string]any)
			if !isMap {
				continue
			}
			path := at.Child(list).Index(i)
			if name := textIn(container, "name"); name != "" && !isVariable(name) {
				found = append(found, invalidText(path.Child("name"), name, utilvalidation.IsDNS1123Label(name))...)
			}
			found = append(found, checkContainerPorts(container, path.Child("ports"))...)
			if known {
				found = append(found, checkMounts(container, volumes, path.Child("volumeMounts"))...)
			}
			found = append(found, checkRequests(container, path.Child("resources"))...)
		}
	}
	return found
}

func invalidText(at *field.Path, text string, messages []string) field.ErrorList {
	var found field.ErrorList
	for _, message := range messages {
		found = append(found, field.Invalid(at, text, message))
	}
	return found
}

// volumesOf returns the names of a pod's volumes, and reports whether all of them are known.
func volumesOf(spec map[string]any) (names map[string]bool, known bool) {
	names = map[string]bool{}
	if list := spec["volumes"]; list != nil && listAt(spec, "volumes") == nil {
		return nil, false
	}
	for _, item := range listAt(spec, "volumes") {
		volume, _ := item.(map[string]any)
		name, isText := volume["name"].(string)
		if !isText || isVariable(name) {
			return nil, false
		}
		names[name] = true
	}
	return names, true
}

func checkContainerPorts(container map[string]any, at *field.Path) field.ErrorList {
	var found field.ErrorList
	for i, item := range listAt(container, "ports") {
		port, _ := item.(map[string]any)
		if name := textIn(port, "name"); name != "" && !isVariable(name) {
			found = append(found, invalidText(at.Index(i).Child("name"), name, utilvalidation.IsValidPortName(name))...)
		}
		for _, key := range []string{"containerPort", "hostPort"} {
			if number, isNumber := port[key].(int64); isNumber && number != 0 {
				found = append(found, invalidPort(at.Index(i).Child(key), number)...)
			}
		}
	}
	return found
}

func invalidPort(at *field.Path, number int64) field.ErrorList {
	var found field.ErrorList
	for _, message := range utilvalidation.IsValidPortNum(int(number)) {
		found = append(found, field.Invalid(at, number, message))
	}
	return found
}

func checkMounts(container map[string]any, volumes map[string]bool, at *field.Path) field.ErrorList {
	var found field.ErrorList
	for i, item := range listAt(container, "volumeMounts") {
		mount, _ := item.(map[string]any)
		if name := textIn(mount, "name"); name != "" && !isVariable(name) && !volumes[name] {
			found = append(found, field.NotFound(at.Index(i).Child("name"), name))
		}
	}
	return found
}

func checkRequests(container map[string]any, at *field.Path) field.ErrorList {
	var found field.ErrorList
	requests, limits := mapAt(container, "resources", "requests"), mapAt(container, "resources", "limits")
	for _, name := range []string{"cpu", "memory", "ephemeral-storage"} {
		if requests[name] == nil || limits[name] == nil {
			continue
		}
		request, err := resource.ParseQuantity(fmt.Sprint(requests[name]))
		if err != nil {
			continue
		}
		limit, err := resource.ParseQuantity(fmt.Sprint(limits[name]))
		if err != nil || request.Cmp(limit) <= 0 {
			continue
		}
		found = append(found, field.Invalid(at.Child("requests"), request.String(), fmt.Sprintf("must be less than or equal to %s limit of %s", name, limit.String())))
	}
	return found
}
