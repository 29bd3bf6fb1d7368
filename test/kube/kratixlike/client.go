package kratixlike

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

const fieldManager = "manager"

var (
	platform            = schema.GroupVersion{Group: kratix.Group, Version: "v1alpha1"}
	workResource        = platform.WithResource("works")
	placementResource   = platform.WithResource("workplacements")
	destinationResource = platform.WithResource("destinations")
	gitStoreResource    = platform.WithResource("gitstatestores")
	secretResource      = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
)

// client is a client without a cache.
type client struct{ api dynamic.Interface }

func get[T any](ctx context.Context, c client, resource schema.GroupVersionResource, key kratix.Key) (*T, error) {
	object, err := c.api.Resource(resource).Namespace(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	return typed[T](object)
}

func list[T any](ctx context.Context, c client, resource schema.GroupVersionResource, namespace, selector string) ([]*T, error) {
	found, err := c.api.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	objects := make([]*T, 0, len(found.Items))
	for i := range found.Items {
		object, err := typed[T](&found.Items[i])
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
	return objects, nil
}

func typed[T any](object *unstructured.Unstructured) (*T, error) {
	into := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, into); err != nil {
		return nil, fmt.Errorf("convert %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	return into, nil
}

func (c client) create(ctx context.Context, placement *kratix.WorkPlacement) (*kratix.WorkPlacement, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(placement)
	if err != nil {
		return nil, err
	}
	delete(fields, "status")
	made, err := c.api.Resource(placementResource).Namespace(placement.Namespace).
		Create(ctx, &unstructured.Unstructured{Object: fields}, metav1.CreateOptions{FieldManager: fieldManager})
	if err != nil {
		return nil, err
	}
	return typed[kratix.WorkPlacement](made)
}

func (c client) patch(ctx context.Context, resource schema.GroupVersionResource, key kratix.Key, fields any, subresources ...string) error {
	data, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	_, err = c.api.Resource(resource).Namespace(key.Namespace).
		Patch(ctx, key.Name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: fieldManager}, subresources...)
	return err
}

func (c client) patchFinalizers(ctx context.Context, resource schema.GroupVersionResource, object metav1.Object, finalizers []string) error {
	if finalizers == nil {
		finalizers = []string{}
	}
	return c.patch(ctx, resource, keyOf(object), map[string]any{
		"metadata": map[string]any{"resourceVersion": object.GetResourceVersion(), "finalizers": finalizers},
	})
}

func (c client) patchStatus(ctx context.Context, resource schema.GroupVersionResource, object metav1.Object, status map[string]any) error {
	return c.patch(ctx, resource, keyOf(object), map[string]any{
		"metadata": map[string]any{"resourceVersion": object.GetResourceVersion()}, "status": status,
	}, "status")
}

func keyOf(object metav1.Object) kratix.Key {
	return kratix.Key{Namespace: object.GetNamespace(), Name: object.GetName()}
}

func (c client) deletePlacement(ctx context.Context, placement *kratix.WorkPlacement) error {
	return ignoreNotFound(c.api.Resource(placementResource).Namespace(placement.Namespace).Delete(ctx, placement.Name, metav1.DeleteOptions{}))
}
