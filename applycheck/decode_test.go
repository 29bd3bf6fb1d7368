package applycheck

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestDecodedAsTheConverterDecodes(t *testing.T) {
	texts := map[string]any{"a": "b", "c": ""}
	for _, fields := range []map[string]any{
		nil, {}, {"name": "a", "namespace": "b", "labels": texts, "annotations": map[string]any{}}, {"generateName": "a-"}, {"name": nil}, {"name": int64(1)}, {"labels": map[string]any{"a": nil}},
		{"labels": map[string]any{"a": true}}, {"labels": "a"}, {"unknown": "a", "name": "b"}, {"finalizers": []any{"a/b"}, "name": "a"}, {"creationTimestamp": "2020-01-01T00:00:00Z"}, {"annotations": []any{}},
		{"matchLabels": texts}, {"matchLabels": nil}, {"matchLabels": map[string]any{"a": int64(1)}}, {"matchLabels": texts, "matchExpressions": []any{map[string]any{"key": "a", "operator": "Exists"}}},
		{"matchLabels": texts, "unknown": "a"},
	} {
		metadata, err := decodeMetadata(fields)
		want := &metav1.ObjectMeta{}
		wantErr := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, want)
		if (err == nil) != (wantErr == nil) || err == nil && !cmp.Equal(want, metadata) {
			t.Errorf("metadata %v: %v, want %v\n%s", fields, err, wantErr, cmp.Diff(want, metadata))
		}
		selector, err := decodeSelector(fields)
		wantSelector := &metav1.LabelSelector{}
		wantErr = runtime.DefaultUnstructuredConverter.FromUnstructured(fields, wantSelector)
		if (err == nil) != (wantErr == nil) || err == nil && !cmp.Equal(wantSelector, selector) {
			t.Errorf("selector %v: %v, want %v\n%s", fields, err, wantErr, cmp.Diff(wantSelector, selector))
		}
	}
}
