package apply

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Mutation is a change of an object that the API server may refuse.
type Mutation struct {
	// Row is the name of the table row in which the refusals are counted.
	Row string
	// Of reports whether the mutation applies to objects of a kind.
	Of func(Kind) bool
	// Do returns a changed copy of an object, or nil if it cannot change the object.
	Do func(m *Maker, kind Kind, from map[string]any) map[string]any
}

func all(Kind) bool        { return true }
func custom(k Kind) bool   { return !k.Builtin }
func builtin(k Kind) bool  { return k.Builtin }
func spaced(k Kind) bool   { return k.Namespaced }
func isConfig(k Kind) bool { return k.Group == "" && (k.Kind == "ConfigMap" || k.Kind == "Secret") }
func isDefinition(k Kind) bool {
	return k.Kind == "CustomResourceDefinition"
}

// Mutations are the mutations of a single object.
var Mutations = []Mutation{
	{"unknown kind or version", all, unknownKind},
	{"API that was removed", builtin, removedAPI},
	{"missing namespace", spaced, noNamespace},
	{"unknown field", all, unknownField},
	{"wrong type", all, wrongType},
	{"missing field", all, missingField},
	{"enum", all, wrongEnum},
	{"pattern, format or limit of a CRD", custom, outsideLimits},
	{"CEL", func(k Kind) bool { return strings.HasPrefix(k.Group, "cel.") || strings.HasPrefix(k.Group, "db.") }, anotherLeaf},
	{"duplicate key in a list", all, duplicateItem},
	{"name", all, wrongName},
	{"label", all, wrongLabel},
	{"annotation", all, wrongAnnotation},
	{"size", isConfig, tooLarge},
	{"invalid CRD", isDefinition, anyChange},
	{"value of a built-in kind", builtin, anotherLeafOfBuiltin},
}

func unknownKind(m *Maker, kind Kind, from map[string]any) map[string]any {
	switch m.IntN(4) {
	case 0:
		return with(from, []any{"kind"}, kind.Kind+"s")
	case 1:
		return with(from, []any{"kind"}, m.pick("Foo", "Deploiment", strings.ToLower(kind.Kind)))
	case 2:
		return with(from, []any{"apiVersion"}, strings.TrimPrefix(kind.Group+"/v9", "/"))
	}
	return with(from, []any{"apiVersion"}, m.pick("unknown.example.net/v1", "v2", "apps/v3", "extensions.k8s.io/v1", "x/"+kind.Version))
}

// removed are kinds in versions that Kubernetes has removed.
var removed = [][2]string{
	{"policy/v1beta1", "PodDisruptionBudget"}, {"policy/v1beta1", "PodSecurityPolicy"}, {"extensions/v1beta1", "Ingress"},
	{"networking.k8s.io/v1beta1", "Ingress"}, {"networking.k8s.io/v1beta1", "IngressClass"}, {"extensions/v1beta1", "Deployment"},
	{"apps/v1beta1", "Deployment"}, {"apps/v1beta2", "StatefulSet"}, {"apps/v1beta2", "DaemonSet"}, {"batch/v1beta1", "CronJob"},
	{"batch/v2alpha1", "CronJob"}, {"autoscaling/v2beta1", "HorizontalPodAutoscaler"}, {"autoscaling/v2beta2", "HorizontalPodAutoscaler"},
	{"rbac.authorization.k8s.io/v1beta1", "Role"}, {"rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding"},
	{"apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"}, {"admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration"},
	{"scheduling.k8s.io/v1beta1", "PriorityClass"}, {"storage.k8s.io/v1beta1", "StorageClass"}, {"storage.k8s.io/v1beta1", "CSIDriver"},
	{"discovery.k8s.io/v1beta1", "EndpointSlice"}, {"events.k8s.io/v1beta1", "Event"}, {"node.k8s.io/v1beta1", "RuntimeClass"},
	{"flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema"}, {"flowcontrol.apiserver.k8s.io/v1beta2", "PriorityLevelConfiguration"},
	{"coordination.k8s.io/v1beta1", "Lease"}, {"certificates.k8s.io/v1beta1", "CertificateSigningRequest"}, {"apiregistration.k8s.io/v1beta1", "APIService"},
}

func removedAPI(m *Maker, _ Kind, from map[string]any) map[string]any {
	api := removed[m.IntN(len(removed))]
	return with(with(from, []any{"apiVersion"}, api[0]), []any{"kind"}, api[1])
}

func noNamespace(m *Maker, _ Kind, from map[string]any) map[string]any {
	return with(from, []any{"metadata", "namespace"}, m.pick("nowhere", "defualt", "team-7", "kube-sytem"))
}

func (m *Maker) choose(kind Kind, from map[string]any, is func(node) bool) (node, bool) {
	nodes := slices.DeleteFunc(m.nodes(kind, from), func(n node) bool { return !is(n) })
	if len(nodes) == 0 {
		return node{}, false
	}
	return nodes[m.IntN(len(nodes))], true
}

func unknownField(m *Maker, kind Kind, from map[string]any) map[string]any {
	if m.IntN(10) == 0 {
		return with(from, []any{"metadata", m.pick("labls", "anotations", "nmae", "x")}, map[string]any{"a": "b"})
	}
	n, ok := m.choose(kind, from, func(n node) bool { _, is := n.value.(map[string]any); return is && n.schema.Properties() != nil })
	if !ok {
		return nil
	}
	fields := n.schema.Properties()
	name := m.pick("unknown", "replcias", "Spec", "selectors")
	if names := slices.Sorted(maps.Keys(fields)); len(names) > 0 && m.IntN(2) == 0 {
		if field := names[m.IntN(len(names))]; len(field) > 3 { // the last two letters change places
			name = field[:len(field)-2] + field[len(field)-1:] + field[len(field)-2:len(field)-1]
		}
	}
	if _, known := fields[name]; known {
		return nil
	}
	return with(from, append(slices.Clone(n.path), name), m.anything())
}

func wrongType(m *Maker, kind Kind, from map[string]any) map[string]any {
	n, ok := m.choose(kind, from, func(n node) bool { return len(n.path) > 0 })
	if !ok {
		return nil
	}
	others := []any{"three", int64(7), true, []any{"a"}, map[string]any{"a": "b"}, 1.5, "8"}
	switch n.value.(type) {
	case string:
		others = others[1:6]
	case map[string]any:
		others = others[:4]
	}
	return with(from, n.path, others[m.IntN(len(others))])
}

func missingField(m *Maker, kind Kind, from map[string]any) map[string]any {
	required := m.IntN(4) > 0
	n, ok := m.choose(kind, from, func(n node) bool {
		if len(n.path) == 0 {
			return false
		}
		_, field := n.path[len(n.path)-1].(string)
		return field && (n.required || !required)
	})
	if !ok {
		return nil
	}
	if m.IntN(4) == 0 {
		return with(from, n.path, map[bool]any{true: nil, false: ""}[m.IntN(2) == 0])
	}
	return with(from, n.path, gone{})
}

func wrongEnum(m *Maker, kind Kind, from map[string]any) map[string]any {
	n, ok := m.choose(kind, from, func(n node) bool { return len(list(n.schema["enum"])) > 0 })
	if !ok {
		return nil
	}
	value := any(m.pick("Bogus", "bogus", "", "ALL", strings.ToLower(fmt.Sprint(n.value)), fmt.Sprint(n.value)+"s"))
	if _, is := n.value.(string); !is {
		value = int64(77)
	}
	return with(from, n.path, value)
}

func outsideLimits(m *Maker, kind Kind, from map[string]any) map[string]any {
	n, ok := m.choose(kind, from, func(n node) bool {
		for _, rule := range []string{"pattern", "format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "multipleOf", "minProperties", "maxProperties"} {
			if n.schema[rule] != nil {
				return true
			}
		}
		return false
	})
	if !ok {
		return nil
	}
	switch v := n.value.(type) {
	case string:
		return with(from, n.path, m.pick("", "!", "Not A Value", strings.Repeat("x", 300), v+" ", "-1"))
	case int64, float64:
		return with(from, n.path, []any{int64(-1), int64(0), int64(1) << 40, int64(7), 1e30}[m.IntN(5)])
	case []any:
		if len(v) == 0 || m.IntN(2) == 0 {
			return with(from, n.path, []any{})
		}
		return with(from, n.path, slices.Repeat(v, 12))
	case map[string]any:
		return with(from, n.path, map[string]any{})
	}
	return nil
}

func anotherLeaf(m *Maker, kind Kind, from map[string]any) map[string]any {
	changed := from
	for range 1 + m.IntN(2) {
		if n, ok := m.choose(kind, changed, func(n node) bool { return len(n.path) > 0 }); ok {
			if another := m.another(changed, n); another != nil {
				changed = another
			} else if added := m.added(changed, n); added != nil {
				changed = added
			}
		}
	}
	return changed
}

func anotherLeafOfBuiltin(m *Maker, kind Kind, from map[string]any) map[string]any {
	n, ok := m.choose(kind, from, func(n node) bool { return len(n.path) > 0 && len(list(n.schema["enum"])) == 0 })
	if !ok {
		return nil
	}
	switch n.value.(type) {
	case string:
		return with(from, n.path, m.pick("", "Not A Value!", "Bad_Name", "/x/../y", strings.Repeat("x", 300), "-1"))
	case int64, float64:
		return with(from, n.path, []any{int64(-1), int64(0), int64(1) << 33, int64(70000)}[m.IntN(4)])
	}
	return nil
}

func anyChange(m *Maker, kind Kind, from map[string]any) map[string]any {
	do := []func(*Maker, Kind, map[string]any) map[string]any{unknownField, wrongType, missingField, wrongEnum, anotherLeaf, anotherLeafOfBuiltin, duplicateItem}
	return do[m.IntN(len(do))](m, kind, from)
}

func duplicateItem(m *Maker, kind Kind, from map[string]any) map[string]any {
	n, ok := m.choose(kind, from, func(n node) bool {
		items := list(n.value)
		return len(items) > 0 && slices.Contains([]string{"map", "set"}, text(n.schema["x-kubernetes-list-type"]))
	})
	if !ok {
		return nil
	}
	items := list(n.value)
	return with(from, append(slices.Clone(n.path), len(items)), items[m.IntN(len(items))])
}

func wrongName(m *Maker, _ Kind, from map[string]any) map[string]any {
	return with(from, []any{"metadata", "name"}, m.pick("Bad_Name", "UPPER", "-a", "a-", "a..b", "a/b", "ä", "a b", strings.Repeat("n", 254), "a_b", ".", "..", "a%b", strings.Repeat("n", 64)+".x", "1a"))
}

func wrongLabel(m *Maker, _ Kind, from map[string]any) map[string]any {
	if m.IntN(2) == 0 {
		return with(from, []any{"metadata", "labels", m.pick("a b", "-a", "a/b/c", "Ä", strings.Repeat("k", 64), "/a", "UP.example.org/", "a.example_org/b")}, "v")
	}
	return with(from, []any{"metadata", "labels", "app"}, []any{"a b", "-a", "ä", strings.Repeat("v", 64), "a/b", int64(1), true, "a:b", "_a"}[m.IntN(9)])
}

func wrongAnnotation(m *Maker, _ Kind, from map[string]any) map[string]any {
	switch m.IntN(8) {
	case 0:
		return with(from, []any{"metadata", "annotations", "large"}, strings.Repeat("a", 256<<10))
	case 1, 2:
		return with(from, []any{"metadata", "annotations", "a"}, []any{int64(1), true, map[string]any{"a": "b"}, []any{}}[m.IntN(4)])
	}
	return with(from, []any{"metadata", "annotations", m.pick("a b", "-a", "a/b/c", "Ä", strings.Repeat("k", 64), "/a", "a:b", "a.example_org/b")}, "v")
}

func tooLarge(m *Maker, kind Kind, from map[string]any) map[string]any {
	size := (1 << 20) + m.IntN(1<<20)
	if kind.Kind == "Secret" {
		return with(from, []any{"stringData", "large"}, strings.Repeat("x", size))
	}
	return with(from, []any{"data", "large"}, strings.Repeat("x", size))
}
