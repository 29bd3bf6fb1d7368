package applycheck

import (
	"crypto/sha256"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// These annotations and labels of objects control Flux's kustomize-controller.
const (
	reconcileKey = "kustomize.toolkit.fluxcd.io/reconcile" // if "disabled", the object is not applied
	forceKey     = "kustomize.toolkit.fluxcd.io/force"     // if "enabled", an object that cannot be changed is deleted and created again
	ssaKey       = "kustomize.toolkit.fluxcd.io/ssa"       // if "Ignore", the object is not applied; if "IfNotPresent", an existing object is not changed
)

type digest = [sha256.Size]byte

// fileFacts are the objects of a file. They are shared and must not be modified.
type fileFacts struct {
	digest  digest
	objects []objectFacts
}

type objectFacts struct {
	schema.GroupVersionKind
	namespace, name string
	line            int
	// variable means that the apiVersion or kind contains a variable that Flux may replace.
	variable bool
	position int
	// applied means that Flux applies the object.
	applied bool
	// force means that Flux deletes the object and creates it again if it cannot be changed.
	force       bool
	onlyCreated bool
	// unpruned means that Flux does not delete the object when it is no longer in a file.
	unpruned bool
	// defines is the kind that a CustomResourceDefinition defines. It is nil for other objects.
	defines *definedKind
}

type definedKind struct {
	schema.GroupKind
	namespaced bool
	versions   []string
}

// identity identifies an object in a cluster.
type identity struct {
	schema.GroupKind
	namespace, name string
}

func (o *objectFacts) identity() identity {
	return identity{GroupKind: o.GroupKind(), namespace: o.namespace, name: o.name}
}

func (o *objectFacts) String() string {
	if o.namespace == "" {
		return o.Kind + " " + o.name
	}
	return o.Kind + " " + o.namespace + "/" + o.name
}

func (o *objectFacts) flux() string {
	if o.namespace == "" {
		return o.Kind + "/" + o.name
	}
	return o.Kind + "/" + o.namespace + "/" + o.name
}

func factsOf(content *kustomize.Content) objectFacts {
	fields := content.Fields
	apiVersion, _ := fields["apiVersion"].(string)
	kind, _ := fields["kind"].(string)
	gv, _ := schema.ParseGroupVersion(apiVersion) // a malformed apiVersion yields the zero GroupVersion
	metadata, _ := fields["metadata"].(map[string]any)
	o := objectFacts{
		GroupVersionKind: gv.WithKind(kind),
		namespace:        textIn(metadata, "namespace"), name: textIn(metadata, "name"),
		line:        content.Line,
		variable:    isVariable(apiVersion) || isVariable(kind),
		applied:     content.Outcome.Applied() && !inMetadata(metadata, reconcileKey, "disabled") && !inMetadata(metadata, ssaKey, "Ignore"),
		force:       inMetadata(metadata, forceKey, "enabled"),
		onlyCreated: inMetadata(metadata, ssaKey, "IfNotPresent"),
		unpruned:    inMetadata(metadata, pruneKey, "disabled"),
	}
	if isDefinition(o.GroupVersionKind) {
		o.defines = definedBy(fields)
	}
	return o
}

// provides reports whether other objects may depend on the object: it is a Namespace, or client-go
// does not have its API group.
func (o *objectFacts) provides() bool {
	if o.Group == "" {
		return o.Kind == "Namespace"
	}
	return !scheme.Scheme.IsGroupRegistered(o.Group)
}

func isDefinition(gvk schema.GroupVersionKind) bool {
	return gvk.Group == "apiextensions.k8s.io" && gvk.Kind == "CustomResourceDefinition"
}

func definedBy(fields map[string]any) *definedKind {
	spec, _ := fields["spec"].(map[string]any)
	names, _ := spec["names"].(map[string]any)
	defined := &definedKind{
		GroupKind:  schema.GroupKind{Group: textIn(spec, "group"), Kind: textIn(names, "kind")},
		namespaced: textIn(spec, "scope") == "Namespaced",
	}
	versions, _ := spec["versions"].([]any)
	for _, version := range versions {
		if fields, _ := version.(map[string]any); fields["served"] == true {
			defined.versions = append(defined.versions, textIn(fields, "name"))
		}
	}
	return defined
}

func textIn(fields map[string]any, name string) string {
	text, _ := fields[name].(string)
	return text
}

func inMetadata(metadata map[string]any, key, value string) bool {
	for _, name := range []string{"annotations", "labels"} {
		fields, _ := metadata[name].(map[string]any)
		if strings.EqualFold(textIn(fields, key), value) {
			return true
		}
	}
	return false
}

func isVariable(text string) bool { return strings.Contains(text, "${") }

// hasVariable reports whether a value contains a variable that Flux may replace after the build.
func hasVariable(value any) bool {
	switch v := value.(type) {
	case string:
		return isVariable(v)
	case map[string]any:
		for key, field := range v {
			if isVariable(key) || hasVariable(field) {
				return true
			}
		}
	case []any:
		for _, item := range v {
			if hasVariable(item) {
				return true
			}
		}
	}
	return false
}
