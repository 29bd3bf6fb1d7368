package writers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/retry"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Outcome is the result of writing a Work.
type Outcome string

// The values of Outcome.
const (
	Created   Outcome = "created"
	Updated   Outcome = "updated"
	Unchanged Outcome = "unchanged"
)

// Work creates a Work, or updates the Work of an earlier run of the same pipeline, and returns its
// key. A field that the cluster's CustomResourceDefinition lacks is an error.
func (w *Writers) Work(ctx context.Context, work *kratix.Work) (outcome Outcome, key kratix.Key, err error) {
	works := w.objects.Resource(schema.GroupVersionResource{Group: group, Version: version, Resource: "works"}).Namespace(work.Namespace)
	err = retry.OnError(w.backoff, cameSecond, func() error {
		found, err := earlier(ctx, works, work)
		if err != nil {
			return err
		}
		if found == nil {
			outcome, key = Created, kratix.KeyOf(work)
			return w.create(ctx, works, work)
		}
		key = kratix.Key{Namespace: found.GetNamespace(), Name: found.GetName()}
		outcome, err = w.update(ctx, works, found, work)
		return err
	})
	if err != nil {
		return "", kratix.Key{}, fmt.Errorf("write %s: %w", kratix.Describe(work), err)
	}
	return outcome, key, nil
}

const (
	group   = "platform.kratix.io"
	version = "v1alpha1"
)

// earlier returns the Work of an earlier run of the same pipeline, or nil if there is none.
func earlier(ctx context.Context, works dynamic.ResourceInterface, work *kratix.Work) (*unstructured.Unstructured, error) {
	selector := labels.Set{
		kratix.PromiseNameLabel: work.Labels[kratix.PromiseNameLabel], kratix.WorkTypeLabel: work.Labels[kratix.WorkTypeLabel],
	}
	list, err := works.List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if apierrors.IsNotFound(err) {
		return nil, errors.New("the cluster does not know Works: install Kratix, or apply deploy/crds")
	}
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(list.Items, func(other unstructured.Unstructured) bool { return !samePipeline(other.GetLabels(), work.Labels) })
	if len(found) == 0 {
		return nil, nil
	}
	if len(found) > 1 {
		var names []string
		for _, other := range found {
			names = append(names, other.GetName())
		}
		return nil, fmt.Errorf("the Works %s are all of this pipeline, and it may have only one; delete the others", strings.Join(names, ", "))
	}
	if found[0].GetDeletionTimestamp() != nil {
		return nil, fmt.Errorf("the Work %s of an earlier run is being deleted; run this again once it is gone", found[0].GetName())
	}
	return &found[0], nil
}

// samePipeline reports whether the labels of two Works of a Promise are those of the same pipeline.
// Kratix may omit the namespace of the request.
func samePipeline(there, wanted map[string]string) bool {
	for _, label := range []string{kratix.ResourceNameLabel, kratix.PipelineNameLabel, kratix.DryRunLabel} {
		if there[label] != wanted[label] {
			return false
		}
	}
	namespace, told := there[kratix.ResourceNamespaceLabel]
	return !told || namespace == wanted[kratix.ResourceNamespaceLabel]
}

func (w *Writers) create(ctx context.Context, works dynamic.ResourceInterface, work *kratix.Work) error {
	made, err := w.object(work)
	if err != nil {
		return err
	}
	_, err = works.Create(ctx, made, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	return err
}

// update sets the spec of an existing Work, and adds the wanted labels and annotations.
func (w *Writers) update(ctx context.Context, works dynamic.ResourceInterface, there *unstructured.Unstructured, wanted *kratix.Work) (Outcome, error) {
	var current kratix.Work
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(there.Object, &current); err != nil {
		return "", err
	}
	merged := map[string]string(labels.Merge(current.Labels, wanted.Labels))
	annotations := map[string]string(labels.Merge(current.Annotations, wanted.Annotations))
	current.Spec.LastExecutionTimestamp = nil
	if equality.Semantic.DeepEqual(current.Spec, wanted.Spec) && maps.Equal(current.Labels, merged) && maps.Equal(current.Annotations, annotations) {
		return Unchanged, nil
	}
	made, err := w.object(wanted)
	if err != nil {
		return "", err
	}
	there.SetLabels(merged)
	if len(annotations) > 0 {
		there.SetAnnotations(annotations)
	}
	there.Object["spec"] = made.Object["spec"]
	_, err = works.Update(ctx, there, metav1.UpdateOptions{FieldValidation: metav1.FieldValidationStrict})
	if apierrors.IsNotFound(err) {
		err = errLeft
	}
	return Updated, err
}

func (w *Writers) object(work *kratix.Work) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(work)
	if err != nil {
		return nil, err
	}
	made := &unstructured.Unstructured{Object: content}
	return made, unstructured.SetNestedField(made.Object, w.timestamp(), "spec", "lastExecutionTimestamp")
}
