package applycheck

import "k8s.io/apimachinery/pkg/runtime/schema"

// mapAt returns the map at a path of keys, or nil if there is none.
func mapAt(fields map[string]any, path ...string) map[string]any {
	for _, name := range path {
		fields, _ = fields[name].(map[string]any)
	}
	return fields
}

// anyAt returns the value at a path of keys, or nil if there is none.
func anyAt(fields map[string]any, path ...string) any {
	last := len(path) - 1
	return mapAt(fields, path[:last]...)[path[last]]
}

// textAt returns the string at a path of keys, or "" if there is none.
func textAt(fields map[string]any, path ...string) string {
	text, _ := anyAt(fields, path...).(string)
	return text
}

// listAt returns the list at a path of keys, or nil if there is none.
func listAt(fields map[string]any, path ...string) []any {
	list, _ := anyAt(fields, path...).([]any)
	return list
}

// podTemplateOf returns the path of the pod template in a workload, and whether the kind has one.
func podTemplateOf(gk schema.GroupKind) ([]string, bool) {
	switch gk.Group + "/" + gk.Kind {
	case "apps/Deployment", "apps/ReplicaSet", "apps/DaemonSet", "apps/StatefulSet", "batch/Job":
		return []string{"spec", "template"}, true
	case "batch/CronJob":
		return []string{"spec", "jobTemplate", "spec", "template"}, true
	}
	return nil, false
}
