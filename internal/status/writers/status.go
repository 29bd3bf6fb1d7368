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

// Said is what became of a request's status.
type Said struct {
	// Changed are the keys of the status that are another now, sorted; none means
	// that nothing was written.
	Changed []string
	// Lost are those of them that the API took and did not keep as they are: the
	// CustomResourceDefinition has no such field.
	Lost []string
}

// ErrGone means that the request is not in the cluster, or is another one of the
// same name.
var ErrGone = errors.New("it is not in the cluster")

// Status merges what a pipeline said into the status of a request, and the
// completion's condition if there is one. A key takes the place of the same key, one
// without a value takes it away, a condition takes the place of the one of its
// type, and everything else stays. A request that still says "Pending" says that it
// was seen, once it is complete and unless the pipeline has words of its own.
func (w *Writers) Status(ctx context.Context, request kratix.Header, said map[string]any, completion *Completion) (Said, error) {
	objects, err := w.resource(ctx, request)
	if err != nil {
		return Said{}, fmt.Errorf("%s: %w", request, err)
	}
	var outcome Said
	err = retry.OnError(w.backoff, cameSecond, func() error {
		outcome, err = w.sayOnce(ctx, objects, request, said, completion)
		return err
	})
	switch {
	case apierrors.IsNotFound(err):
		return Said{}, fmt.Errorf("%s: %w: it was deleted, or the cluster is not the one that the pipeline ran for", request, ErrGone)
	case err != nil:
		return Said{}, fmt.Errorf("write the status of %s: %w", request, err)
	}
	return outcome, nil
}

func (w *Writers) sayOnce(ctx context.Context, objects dynamic.ResourceInterface, request kratix.Header, said map[string]any, completion *Completion) (Said, error) {
	there, err := objects.Get(ctx, request.Metadata.Name, metav1.GetOptions{})
	if err != nil {
		return Said{}, err
	}
	if wanted := request.Metadata.UID; wanted != "" && wanted != string(there.GetUID()) {
		return Said{}, fmt.Errorf("%w: there is another of the same name, with the uid %s, and the pipeline ran for %s", ErrGone, there.GetUID(), wanted)
	}
	before, _ := there.Object[statusKey].(map[string]any)
	after := merge(before, said, w.timestamp())
	if completion != nil {
		after = merge(after, completed(after, request.Kind, *completion), w.timestamp())
	}
	changed := differences(before, after)
	if len(changed) == 0 {
		return Said{}, nil
	}
	there.Object[statusKey] = after
	kept, err := objects.UpdateStatus(ctx, there, metav1.UpdateOptions{})
	if err != nil {
		return Said{}, err
	}
	stored, _ := kept.Object[statusKey].(map[string]any)
	lost := slices.DeleteFunc(slices.Clone(changed), func(key string) bool { return keeps(stored[key], after[key]) })
	return Said{Changed: changed, Lost: lost}, nil
}

// completed is what a request says of itself once its pipelines are done.
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

// differences returns the keys of both that are not equal, sorted.
func differences(one, other map[string]any) []string {
	all := maps.Clone(other)
	maps.Copy(all, one)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(key string) bool {
		return reflect.DeepEqual(one[key], other[key])
	})
}

// keeps reports whether a value that the API stored has all that was written. It may
// have more, by defaults.
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

// resource finds where the API has objects of the request's kind.
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
