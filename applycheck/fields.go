package applycheck

import "k8s.io/apimachinery/pkg/runtime/schema"

func mapAt(fields map[string]any, path ...string) map[string]any {
	for _, name := range path {
		fields, _ = fields[name].(map[string]any)
	}
	return fields
}

func anyAt(fields map[string]any, path ...string) any {
	last := len(path) - 1
	return mapAt(fields, path[:last]...)[path[last]]
}

func textAt(fields map[string]any, path ...string) string {
	text, _ := anyAt(fields, path...).(string)
	return text
}

func listAt(fields map[string]any, path ...string) []any {
	list, _ := anyAt(fields, path...).([]any)
	return list
}

// podTemplateOf returns the path of the pod template in objects of a kind, and reports whether it
// is known.
func podTemplateOf(gk schema.GroupKind) ([]string, bool) {
	switch gk.Group + "/" + gk.Kind {
	case "apps/Deployment", "apps/ReplicaSet", "apps/DaemonSet", "apps/StatefulSet", "batch/Job":
		return []string{"spec", "template"}, true
	case "batch/CronJob":
		return []string{"spec", "jobTemplate", "spec", "template"}, true
	}
	return nil, false
}
