package flux

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"

	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// Applied contains the objects that Flux would apply after a build.
type Applied struct {
	Objects []*unstructured.Unstructured
	// Left are the objects that Flux does not apply. Stripped are the objects whose namespace or
	// labels Flux drops. Both have the form of kustomize.ID.
	Left, Stripped []string
}

// Reconcile runs the steps of Flux's kustomize-controller between the build and the apply.
func Reconcile(built resmap.ResMap) (Applied, error) {
	for _, res := range built.Resources() {
		if res.GetName() == "" || res.GetKind() == "" || res.GetApiVersion() == "" {
			return Applied{}, fmt.Errorf("failed to decode Kubernetes apiVersion, kind and name from: %v", res.String())
		}
	}
	text, err := built.AsYaml()
	if err != nil {
		return Applied{}, fmt.Errorf("kustomize build failed: %w", err)
	}
	applied := Applied{}
	if applied.Objects, err = utils.ReadObjects(bytes.NewReader(text)); err != nil {
		return Applied{}, err
	}
	return applied, applied.lookAt(built)
}

func (a *Applied) lookAt(built resmap.ResMap) error {
	count := 0
	for _, res := range built.Resources() {
		text, err := res.AsYAML()
		if err != nil {
			return err
		}
		objects, err := utils.ReadObjects(bytes.NewReader(text))
		if err != nil {
			return err
		}
		count += len(objects)
		id := res.CurId()
		name := kustomize.ID{APIVersion: id.ApiVersion(), Kind: id.Kind, Name: id.Name, Namespace: id.EffectiveNamespace()}.String()
		switch {
		case len(objects) != 1 || isList(res):
			a.Left = append(a.Left, name)
		case isStripped(objects[0]):
			a.Stripped = append(a.Stripped, name)
		}
	}
	if count != len(a.Objects) {
		return fmt.Errorf("one by one it applies %d objects, and %d together", count, len(a.Objects))
	}
	slices.Sort(a.Left)
	slices.Sort(a.Stripped)
	return nil
}

func isList(res *resource.Resource) bool {
	fields, err := res.Map()
	_, list := fields["items"].([]any)
	return err == nil && list
}

func isStripped(object *unstructured.Unstructured) bool {
	metadata, _ := object.Object["metadata"].(map[string]any)
	return metadata["namespace"] != nil && metadata["namespace"] != "" && object.GetNamespace() == "" ||
		metadata["labels"] != nil && object.GetLabels() == nil
}
