package kratixlike

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/retry"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type writer struct {
	client client
	stores *stores
	delay  time.Duration
	log    *slog.Logger
}

func (w *writer) reconcile(ctx context.Context, key kratix.Key) error {
	placement, err := get[kratix.WorkPlacement](ctx, w.client, placementResource, key)
	if err != nil {
		return ignoreNotFound(err)
	}
	destination, err := get[kratix.Destination](ctx, w.client, destinationResource, kratix.Key{Name: placement.Spec.TargetDestinationName})
	if apierrors.IsNotFound(err) {
		destination = nil
	} else if err != nil {
		return err
	}
	switch {
	case !placement.DeletionTimestamp.IsZero():
		return w.remove(ctx, placement, destination)
	case destination == nil: // the creation of the Destination triggers another reconciliation
		return nil
	}
	if want := withFinalizers(placement.Finalizers, destination.FilepathMode()); !slices.Equal(want, placement.Finalizers) { // setting the finalizers triggers another reconciliation
		return w.client.patchFinalizers(ctx, placementResource, placement, want)
	}
	if err := w.wait(ctx); err != nil {
		return err
	}
	version, err := w.change(ctx, destination, placement, "Update", writeFiles)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if reported := w.report(ctx, placement, version, err); reported != nil {
		return reported
	}
	return err
}

func (w *writer) remove(ctx context.Context, placement *kratix.WorkPlacement, destination *kratix.Destination) error {
	finalizers := without(placement.Finalizers, kratix.PlacementFinalizer, kratix.DotFilesFinalizer)
	if len(finalizers) == len(placement.Finalizers) {
		return nil
	}
	if destination != nil {
		if err := w.wait(ctx); err != nil {
			return err
		}
		if _, err := w.change(ctx, destination, placement, "Delete", removeFiles); err != nil {
			return err
		}
	}
	return ignoreNotFound(w.client.patchFinalizers(ctx, placementResource, placement, finalizers))
}

func (w *writer) wait(ctx context.Context) error {
	if w.delay == 0 {
		return nil
	}
	timer := time.NewTimer(w.delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (w *writer) change(ctx context.Context, destination *kratix.Destination, placement *kratix.WorkPlacement, verb string,
	change func(*os.Root, destinationDir, *kratix.WorkPlacement) error,
) (string, error) {
	store, err := w.stores.of(ctx, destination)
	if err != nil {
		return "", err
	}
	at := destinationDir{destination: destination, base: baseOf(store.path, destination)}
	version, err := store.repository.commit(ctx, verb+" "+kratix.Describe(placement), func(root *os.Root) (err error) {
		if destination.FilepathMode() == kratix.AggregatedYAML {
			at.placements, err = w.placementsOn(ctx, destination)
		}
		if err != nil {
			return err
		}
		return change(root, at, placement)
	})
	w.log.Info("commit", "verb", verb, "placement", placement.Name, "version", version, "error", err)
	return version, err
}

func (w *writer) placementsOn(ctx context.Context, destination *kratix.Destination) ([]*kratix.WorkPlacement, error) {
	all, err := list[kratix.WorkPlacement](ctx, w.client, placementResource, "", "")
	return slices.DeleteFunc(all, func(p *kratix.WorkPlacement) bool {
		return p.Spec.TargetDestinationName != destination.Name || !p.DeletionTimestamp.IsZero()
	}), err
}

func (w *writer) report(ctx context.Context, written *kratix.WorkPlacement, version string, failure error) error {
	return ignoreNotFound(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		placement, err := get[kratix.WorkPlacement](ctx, w.client, placementResource, keyOf(written))
		if err != nil || placement.UID != written.UID {
			return err
		}
		conditions, changed := set(placement.Status.Conditions, isTrue(kratix.WriteSucceededCondition, "WorkloadsWrittenToStateStore", "the files are written"),
			isTrue(kratix.ReadyCondition, "WorkloadsWrittenToTargetDestination", "Ready"))
		if placement.Labels[kratix.MisplacedLabel] == "true" {
			conditions, changed = set(placement.Status.Conditions, append(misplacedConditions(),
				isTrue(kratix.WriteSucceededCondition, "WorkloadsWrittenToStateStore", "the files are written"))...)
		}
		status := map[string]any{"conditions": conditions, "versionID": version}
		if failure != nil {
			const reason = "WorkloadsFailedWrite"
			status["conditions"], changed = set(placement.Status.Conditions, isFalse(kratix.WriteSucceededCondition, reason, failure.Error()),
				isFalse(kratix.ReadyCondition, reason, "Failing"))
			status["versionID"] = placement.Status.VersionID
		}
		if !changed && status["versionID"] == placement.Status.VersionID {
			return nil
		}
		return w.client.patchStatus(ctx, placementResource, placement, status)
	}))
}
