package kratixlike

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type scheduler struct {
	client client
	choose func(n int) int
}

type outcome struct {
	scheduled  int
	unmatched  []string
	placements []*kratix.WorkPlacement
	failure    error
}

// reconcile returns no error if a WorkPlacement cannot be created or updated. As in Kratix, it does
// not try again before the next event.
func (s *scheduler) reconcile(ctx context.Context, key kratix.Key) error {
	work, err := get[kratix.Work](ctx, s.client, workResource, key)
	if err != nil {
		return ignoreNotFound(err)
	}
	if !work.DeletionTimestamp.IsZero() {
		return s.cleanUp(ctx, work)
	}
	if !slices.Contains(work.Finalizers, kratix.WorkFinalizer) { // adding the finalizer triggers another reconciliation
		return s.client.patchFinalizers(ctx, workResource, work, append(work.Finalizers, kratix.WorkFinalizer))
	}
	destinations, err := list[kratix.Destination](ctx, s.client, destinationResource, "", "")
	if err != nil {
		return err
	}
	existing, err := list[kratix.WorkPlacement](ctx, s.client, placementResource, work.Namespace, kratix.WorkLabel+"="+work.Name)
	if err != nil {
		return err
	}
	result := s.schedule(ctx, work, destinations, existing)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if result.failure == nil {
		if err := s.deleteVanished(ctx, work, existing); err != nil {
			return err
		}
	}
	if err := s.reportPlacements(ctx, work, result.placements); err != nil {
		return err
	}
	return s.report(ctx, work, result)
}

func (s *scheduler) schedule(ctx context.Context, work *kratix.Work, destinations []*kratix.Destination, existing []*kratix.WorkPlacement) outcome {
	var result outcome
	modes := map[string]string{}
	for _, destination := range destinations {
		modes[destination.Name] = destination.FilepathMode()
	}
	for _, group := range work.Spec.WorkloadGroups {
		matched := matching(work, group, destinations)
		g := &placer{scheduler: s, work: work, group: group, matched: matched, modes: modes}
		placements, err := g.place(ctx, ofGroup(existing, group.ID))
		result.placements = append(result.placements, placements...)
		if err != nil {
			result.failure = fmt.Errorf("group %s: %w", group.Directory, err)
			return result
		}
		if len(placements) == 0 {
			result.unmatched = append(result.unmatched, group.Directory)
			continue
		}
		result.scheduled++
	}
	return result
}

func (s *scheduler) deleteVanished(ctx context.Context, work *kratix.Work, existing []*kratix.WorkPlacement) error {
	for _, placement := range existing {
		if !slices.ContainsFunc(work.Spec.WorkloadGroups, func(g kratix.WorkloadGroup) bool { return g.ID == placement.Spec.ID }) {
			if err := s.delete(ctx, placement); err != nil {
				return err
			}
		}
	}
	return nil
}

// cleanUp deletes the WorkPlacements of a Work that is being deleted. Like Kratix, it finds them by
// the name of the Work, in any namespace.
func (s *scheduler) cleanUp(ctx context.Context, work *kratix.Work) error {
	if !slices.Contains(work.Finalizers, kratix.WorkFinalizer) {
		return nil
	}
	placements, err := list[kratix.WorkPlacement](ctx, s.client, placementResource, "", kratix.WorkLabel+"="+work.Name)
	if err != nil {
		return err
	}
	for _, placement := range placements {
		if err := s.delete(ctx, placement); err != nil {
			return err
		}
	}
	if len(placements) > 0 { // the deletion of the last one triggers another reconciliation
		return nil
	}
	return ignoreNotFound(s.client.patchFinalizers(ctx, workResource, work, without(work.Finalizers, kratix.WorkFinalizer)))
}

func (s *scheduler) delete(ctx context.Context, placement *kratix.WorkPlacement) error {
	if !placement.DeletionTimestamp.IsZero() {
		return nil
	}
	return s.client.deletePlacement(ctx, placement)
}

func ofGroup(placements []*kratix.WorkPlacement, id string) []*kratix.WorkPlacement {
	var of []*kratix.WorkPlacement
	for _, placement := range placements {
		if placement.Spec.ID == id {
			of = append(of, placement)
		}
	}
	return of
}

func without(finalizers []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(finalizers), func(f string) bool { return slices.Contains(names, f) })
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func ownerOf(work *kratix.Work) metav1.OwnerReference {
	return *metav1.NewControllerRef(work, platform.WithKind(kratix.WorkKind))
}
