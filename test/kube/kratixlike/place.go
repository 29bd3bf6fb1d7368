package kratixlike

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type placer struct {
	*scheduler
	work    *kratix.Work
	group   kratix.WorkloadGroup
	matched []string
	modes   map[string]string
}

func (p *placer) place(ctx context.Context, existing []*kratix.WorkPlacement) ([]*kratix.WorkPlacement, error) {
	var placed []*kratix.WorkPlacement
	for _, placement := range existing {
		updated, err := p.update(ctx, placement)
		if err != nil {
			return placed, fmt.Errorf("update WorkPlacement %s: %w", placement.Name, err)
		}
		placed = append(placed, updated)
	}
	for _, destination := range p.lacking(existing) {
		made, err := p.client.create(ctx, p.desired(kratix.NewWorkPlacement(p.work, &p.group, destination)))
		if err != nil {
			return placed, fmt.Errorf("create WorkPlacement on %s: %w", destination, err)
		}
		placed = append(placed, made)
	}
	return placed, nil
}

func (p *placer) lacking(existing []*kratix.WorkPlacement) []string {
	if !p.work.IsDependency() {
		if len(existing) > 0 || len(p.matched) == 0 {
			return nil
		}
		return []string{p.matched[p.choose(len(p.matched))]}
	}
	lacking := slices.DeleteFunc(slices.Clone(p.matched), func(destination string) bool {
		return slices.ContainsFunc(existing, func(placement *kratix.WorkPlacement) bool {
			return placement.Spec.TargetDestinationName == destination
		})
	})
	for i := len(lacking) - 1; i > 0; i-- {
		j := p.choose(i + 1)
		lacking[i], lacking[j] = lacking[j], lacking[i]
	}
	return lacking
}

// update sets the contents of a WorkPlacement to those of the Work. Like Kratix, it never removes
// the label misplaced.
func (p *placer) update(ctx context.Context, have *kratix.WorkPlacement) (*kratix.WorkPlacement, error) {
	want := p.desired(have)
	if !slices.Contains(p.matched, have.Spec.TargetDestinationName) {
		want.Labels[kratix.MisplacedLabel] = "true"
	}
	if equality.Semantic.DeepEqual(have, want) {
		return have, nil
	}
	err := p.client.patch(ctx, placementResource, keyOf(have), map[string]any{
		"metadata": map[string]any{"labels": want.Labels, "finalizers": want.Finalizers, "ownerReferences": want.OwnerReferences},
		"spec":     want.Spec,
	})
	if err != nil {
		return nil, err
	}
	return get[kratix.WorkPlacement](ctx, p.client, placementResource, keyOf(have))
}

func (p *placer) desired(have *kratix.WorkPlacement) *kratix.WorkPlacement {
	of := kratix.NewWorkPlacement(p.work, &p.group, have.Spec.TargetDestinationName)
	want := have.DeepCopy()
	want.Spec = of.Spec
	if want.Labels == nil {
		want.Labels = map[string]string{}
	}
	maps.Copy(want.Labels, of.Labels)
	if have.DeletionTimestamp.IsZero() { // the API server accepts no new finalizer on an object that is being deleted
		want.Finalizers = withFinalizers(have.Finalizers, p.modes[have.Spec.TargetDestinationName])
	}
	owner := ownerOf(p.work)
	if !slices.ContainsFunc(want.OwnerReferences, func(r metav1.OwnerReference) bool { return r.UID == owner.UID }) {
		want.OwnerReferences = append(want.OwnerReferences, owner)
	}
	return want
}

func withFinalizers(have []string, mode string) []string {
	want := slices.Clone(have)
	add := func(name string) {
		if !slices.Contains(want, name) {
			want = append(want, name)
		}
	}
	add(kratix.PlacementFinalizer)
	if mode == kratix.None {
		add(kratix.DotFilesFinalizer)
	}
	return want
}
