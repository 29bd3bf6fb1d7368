package kratixlike

import (
	"context"
	"errors"
	"os"
	"path"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type destinations struct {
	client client
	stores *stores
}

func (d *destinations) reconcile(ctx context.Context, key kratix.Key) error {
	destination, err := get[kratix.Destination](ctx, d.client, destinationResource, key)
	if err != nil {
		return ignoreNotFound(err)
	}
	if !destination.DeletionTimestamp.IsZero() {
		return d.cleanUp(ctx, destination)
	}
	if destination.CleansUp() && !slices.Contains(destination.Finalizers, kratix.DestinationFinalizer) { // adding the finalizer triggers another reconciliation
		return d.client.patchFinalizers(ctx, destinationResource, destination, append(destination.Finalizers, kratix.DestinationFinalizer))
	}
	failure := d.write(ctx, destination, writeCanaries)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	conditions, changed := set(destination.Status.Conditions, readyCondition(destination, failure))
	if changed {
		if err := d.client.patchStatus(ctx, destinationResource, destination, map[string]any{"conditions": conditions}); err != nil {
			return ignoreNotFound(err)
		}
	}
	return failure
}

var errStoreNotReady = errors.New("the state store is not ready")

func (d *destinations) write(ctx context.Context, destination *kratix.Destination, change func(*os.Root, destinationDir) error) error {
	store, err := d.stores.of(ctx, destination)
	if err != nil {
		return err
	}
	if store.object.Status.Status == "NotReady" {
		return errStoreNotReady
	}
	at := destinationDir{destination: destination, base: baseOf(store.path, destination)}
	_, err = store.repository.commit(ctx, "Update the canaries of "+kratix.Describe(destination), func(root *os.Root) error {
		return change(root, at)
	})
	return err
}

func readyCondition(destination *kratix.Destination, failure error) metav1.Condition {
	switch {
	case failure == nil && destination.WantsCanaries():
		return isTrue(kratix.ReadyCondition, "TestDocumentsWritten", "the canaries are written")
	case failure == nil:
		return isTrue(kratix.ReadyCondition, "DestinationReady", "Ready")
	case errors.Is(failure, errStoreNotFound):
		return isFalse(kratix.ReadyCondition, "StateStoreNotFound", failure.Error())
	case errors.Is(failure, errStoreNotReady), errors.Is(failure, errSecretNotFound):
		return isFalse(kratix.ReadyCondition, "StateStoreNotReady", failure.Error())
	}
	return isFalse(kratix.ReadyCondition, "StateStoreWriteFailed", failure.Error())
}

func (d *destinations) cleanUp(ctx context.Context, destination *kratix.Destination) error {
	if !slices.Contains(destination.Finalizers, kratix.DestinationFinalizer) {
		return nil
	}
	placements, err := list[kratix.WorkPlacement](ctx, d.client, placementResource, "", "")
	if err != nil {
		return err
	}
	placements = slices.DeleteFunc(placements, func(p *kratix.WorkPlacement) bool { return p.Spec.TargetDestinationName != destination.Name })
	for _, placement := range placements {
		if placement.DeletionTimestamp.IsZero() {
			if err := d.client.deletePlacement(ctx, placement); err != nil {
				return err
			}
		}
	}
	if len(placements) > 0 { // the deletion of the last one triggers another reconciliation
		return nil
	}
	if err := d.write(ctx, destination, removeCanaries); err != nil {
		return err
	}
	return ignoreNotFound(d.client.patchFinalizers(ctx, destinationResource, destination, without(destination.Finalizers, kratix.DestinationFinalizer)))
}

const (
	canaryNamespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: kratix-worker-system\n"
	canaryConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: kratix-info\n  namespace: kratix-worker-system\ndata:\n  canary: the store is read\n"
)

func canaries(at destinationDir) map[string]string {
	first, second := path.Join(at.base, "dependencies"), path.Join(at.base, "resources")
	if at.destination.FilepathMode() != kratix.NestedByMetadata {
		first, second = at.base, at.base
	}
	return map[string]string{
		path.Join(first, "kratix-canary-namespace.yaml"):  canaryNamespace,
		path.Join(second, "kratix-canary-configmap.yaml"): canaryConfigMap,
	}
}

func writeCanaries(root *os.Root, at destinationDir) error {
	if !at.destination.WantsCanaries() {
		return nil
	}
	for name, content := range canaries(at) {
		if err := writeFile(root, name, []byte(content)); err != nil {
			return err
		}
	}
	return nil
}

func removeCanaries(root *os.Root, at destinationDir) error {
	for name := range canaries(at) {
		if err := root.RemoveAll(name); err != nil {
			return err
		}
	}
	return nil
}
