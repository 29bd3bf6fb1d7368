package applycheck

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// sentFields returns the fields without the status, which Flux sends only for a
// CustomResourceDefinition.
func sentFields(gvk schema.GroupVersionKind, fields map[string]any) map[string]any {
	if _, has := fields["status"]; !has || isDefinition(gvk) {
		return fields
	}
	return without(fields, "status")
}

// goObject returns an empty object of the Go type to which Flux decodes the objects of a kind
// before it applies them, or nil if Flux sends them as they are.
func goObject(gvk schema.GroupVersionKind) runtime.Object {
	if gvk.GroupVersion().String() == "rbac.authorization.k8s.io/v1" && (gvk.Kind == "Role" || gvk.Kind == "ClusterRole") {
		return nil // Flux does not decode Roles and ClusterRoles
	}
	object, err := scheme.Scheme.New(gvk)
	if err != nil {
		return nil // client-go does not have the kind
	}
	return object
}

type sentObject struct {
	// fields are the fields in the file without the status; applied are the fields that Flux sends.
	fields, applied map[string]any
	// typed means that Flux decodes and encodes the object. err is the error of decoding it, if
	// any.
	typed bool
	err   error
}

func sentBy(gvk schema.GroupVersionKind, fields map[string]any) sentObject {
	fields = sentFields(gvk, fields)
	sent := sentObject{fields: fields, applied: fields}
	object := goObject(gvk)
	if object == nil {
		return sent
	}
	if sent.err = runtime.DefaultUnstructuredConverter.FromUnstructured(fields, object); sent.err != nil {
		return sent
	}
	if applied, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object); err == nil {
		sent.applied, sent.typed = sentFields(gvk, applied), true
	}
	return sent
}
