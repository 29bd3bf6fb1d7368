package writers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/retry"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Result is the result of updating the status of a request.
type Result struct {
	// Changed are the changed keys of the status, sorted. Without changes, nothing was written.
	Changed []string
	// Lost are the changed keys that the API server did not store as written.
	Lost []string
}

// ErrGone means that the request is not in the cluster, or was replaced by another request of the
// same name.
var ErrGone = errors.New("it is not in the cluster")

// Status merges the status from a pipeline into the status of a request, and adds the condition of
// the completion if there is one. A nil value in said removes the key. The error wraps ErrGone if
// the request is gone.
func (w *Writers) Status(ctx context.Context, request kratix.Header, said map[string]any, completion *Completion) (Result, error) {
	objects, err := w.resource(ctx, request)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", request, err)
	}
	var outcome Result
	err = retry.OnError(w.backoff, cameSecond, func() error {
		outcome, err = w.updateOnce(ctx, objects, request, said, completion)
		return err
	})
	switch {
	case apierrors.IsNotFound(err):
		return Result{}, fmt.Errorf("%s: %w: it was deleted, or the cluster is not the one that the pipeline ran for", request, ErrGone)
	case err != nil:
		return Result{}, fmt.Errorf("write the status of %s: %w", request, err)
	}
	return outcome, nil
}

func (w *Writers) updateOnce(ctx context.Context, objects dynamic.ResourceInterface, request kratix.Header, said map[string]any, completion *Completion) (Result, error) {
	there, err := objects.Get(ctx, request.Metadata.Name, metav1.GetOptions{})
	if err != nil {
		return Result{}, err
	}
	if wanted := request.Metadata.UID; wanted != "" && wanted != string(there.GetUID()) {
		return Result{}, fmt.Errorf("%w: there is another of the same name, with the uid %s, and the pipeline ran for %s", ErrGone, there.GetUID(), wanted)
	}
	before, _ := there.Object[statusKey].(map[string]any)
	after := merge(before, said, w.timestamp())
	if completion != nil {
		after = merge(after, completed(after, request.Kind, *completion), w.timestamp())
	}
	changed := differences(before, after)
	if len(changed) == 0 {
		return Result{}, nil
	}
	there.Object[statusKey] = after
	kept, err := objects.UpdateStatus(ctx, there, metav1.UpdateOptions{})
	if err != nil {
		return Result{}, err
	}
	stored, _ := kept.Object[statusKey].(map[string]any)
	lost := slices.DeleteFunc(slices.Clone(changed), func(key string) bool { return keeps(stored[key], after[key]) })
	return Result{Changed: changed, Lost: lost}, nil
}

func completed(status map[string]any, kind string, completion Completion) map[string]any {
	said := map[string]any{conditionsKey: []any{completion.condition()}}
	if status[messageKey] == "Pending" {
		said[messageKey] = "Resource requested"
		if kind == kratix.PromiseKind {
			said[messageKey] = "Promise configured"
		}
	}
	return said
}

func differences(one, other map[string]any) []string {
	all := maps.Clone(other)
	maps.Copy(all, one)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(key string) bool {
		return reflect.DeepEqual(one[key], other[key])
	})
}

// keeps reports whether a stored value contains everything that was written.
func keeps(stored, written any) bool {
	switch written := written.(type) {
	case map[string]any:
		there, ok := stored.(map[string]any)
		for key, value := range written {
			ok = ok && keeps(there[key], value)
		}
		return ok
	case []any:
		there, ok := stored.([]any)
		ok = ok && len(there) == len(written)
		for i, value := range written {
			ok = ok && keeps(there[i], value)
		}
		return ok
	}
	return stored == written
}

func (w *Writers) resource(ctx context.Context, request kratix.Header) (dynamic.ResourceInterface, error) {
	at, err := schema.ParseGroupVersion(request.APIVersion)
	if err != nil {
		return nil, err
	}
	served, err := w.kinds.ServerResourcesForGroupVersionWithContext(ctx, request.APIVersion)
	if apierrors.IsNotFound(err) {
		served, err = &metav1.APIResourceList{}, nil
	}
	if err != nil {
		return nil, err
	}
	kind := slices.IndexFunc(served.APIResources, func(r metav1.APIResource) bool {
		return r.Kind == request.Kind && !strings.Contains(r.Name, "/")
	})
	if kind < 0 {
		return nil, fmt.Errorf("the cluster serves no kind %s in %s: is its Promise installed?", request.Kind, request.APIVersion)
	}
	found := served.APIResources[kind]
	if !slices.ContainsFunc(served.APIResources, func(r metav1.APIResource) bool { return r.Name == found.Name+"/status" }) {
		return nil, errors.New("its CustomResourceDefinition has no status subresource; add subresources: {status: {}} to its version")
	}
	objects := w.objects.Resource(at.WithResource(found.Name))
	if !found.Namespaced {
		return objects, nil
	}
	return objects.Namespace(cmp.Or(request.Metadata.Namespace, metav1.NamespaceDefault)), nil
}
