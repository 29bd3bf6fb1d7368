package apply

import (
	"crypto/sha256"
	"encoding/json"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

type digest [sha256.Size]byte

// digestOf returns the digest of the object of a change and of its first steps, without the fields
// that differ for equal changes.
func digestOf(change status.Change, steps int) digest {
	wish := struct {
		Object any
		Steps  []any
	}{Object: identityOf(change.Object)}
	for _, step := range change.Steps[:steps] {
		var body any = stablePatch(step.Patch)
		if step.Verb == status.Create {
			body = withoutContents(change.Object)
		}
		wish.Steps = append(wish.Steps, []any{step.Verb, body})
	}
	text, err := json.Marshal(wish)
	if err != nil {
		return digest{} // encoding the same object will also make the write fail
	}
	return sha256.Sum256(text)
}

// identityOf returns the fields of an object that may influence whether a write to it is refused.
func identityOf(object kratix.Object) any {
	metadata, ok := object.(metav1.Object)
	if !ok {
		return nil
	}
	return []any{
		metadata.GetUID(), metadata.GetGeneration(), metadata.GetDeletionTimestamp().IsZero(),
		metadata.GetLabels(), metadata.GetAnnotations(), metadata.GetFinalizers(), metadata.GetOwnerReferences(),
	}
}

// withoutContents returns the spec of a WorkPlacement without its contents, and any other object
// itself.
func withoutContents(object kratix.Object) any {
	placement, ok := object.(*kratix.WorkPlacement)
	if !ok {
		return object
	}
	spec := placement.Spec
	spec.Workloads = nil
	return spec
}

// stablePatch returns a patch without the fields that differ for equal changes.
func stablePatch(patch map[string]any) map[string]any {
	stable := maps.Clone(patch)
	if spec, ok := patch["spec"].(kratix.WorkPlacementSpec); ok {
		spec.Workloads = nil
		stable["spec"] = spec
	}
	if said, ok := patch["status"].(map[string]any); ok {
		said = maps.Clone(said)
		delete(said, "versionID")
		if conditions, ok := said["conditions"].([]metav1.Condition); ok {
			said["conditions"] = withoutTimes(conditions)
		}
		stable["status"] = said
	}
	return stable
}

func withoutTimes(conditions []metav1.Condition) []metav1.Condition {
	timeless := make([]metav1.Condition, len(conditions))
	for i, condition := range conditions {
		condition.LastTransitionTime = metav1.Time{}
		timeless[i] = condition
	}
	return timeless
}
