package kube

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
)

func (s *Source) placementFeature() feature[*kratix.WorkPlacement] {
	var words kratix.Interner
	if s.contents {
		return feature[*kratix.WorkPlacement]{
			inspect: s.others.checkNew, content: samePlacement, deleted: s.deletedPlacements.note, share: func(with, p *kratix.WorkPlacement) { p.Spec = with.Spec },
			slim: func(p *kratix.WorkPlacement) {
				s.shareWithWork(p)
				words.ShareWorkPlacement(p)
			},
		}
	}
	return feature[*kratix.WorkPlacement]{same: sameWriteCondition, content: samePlacement, inspect: s.others.check, slim: func(p *kratix.WorkPlacement) {
		p.Spec.Workloads = nil // the Work has the same workloads
		words.ShareWorkPlacement(p)
	}}
}

// sameWriteCondition reports whether the condition WriteSucceeded is False in both versions or in
// neither.
func sameWriteCondition(a, b *kratix.WorkPlacement) bool {
	return meta.IsStatusConditionFalse(a.Status.Conditions, kratix.WriteSucceededCondition) == meta.IsStatusConditionFalse(b.Status.Conditions, kratix.WriteSucceededCondition)
}

func (s *Source) addPlacements(snapshot *source.Snapshot) {
	if s.contents {
		s.shared.Do(func() { s.placements.each(s.shareWithWork) })
	}
	var lost []kratix.Key
	for _, p := range s.withUnseen() {
		if s.contents {
			snapshot.WorkPlacements = append(snapshot.WorkPlacements, p)
		}
		if s.contents && s.isOrphan(p) {
			snapshot.Orphans = append(snapshot.Orphans, kratix.KeyOf(p))
			snapshot.Findings = append(snapshot.Findings, finding.Finding{
				Rule: finding.OrphanedPlacement(), Place: finding.Place{Object: kratix.Describe(p)},
				Message: "its Work " + p.Work().Name + " is gone, but the WorkPlacement is not deleted",
				Fix:     fmt.Sprintf("kubectl delete workplacement %s --namespace %s", p.Name, p.Namespace),
			})
		}
		if p.Labels[kratix.WorkLabel] != "" {
			snapshot.Existing = append(snapshot.Existing, p)
		}
		if !p.DeletionTimestamp.IsZero() && p.Labels[kratix.WorkLabel] != "" {
			lost = append(lost, p.Work()) // the garbage collector deletes the WorkPlacement with its Work
		}
	}
	snapshot.Deleted = s.deleted.with(lost)
	snapshot.DeletedPlacements = s.deletedPlacements.with(nil)
	slices.SortFunc(snapshot.Orphans, kratix.Key.Compare)
	slices.SortFunc(snapshot.Existing, source.Compare)
	slices.SortFunc(snapshot.WorkPlacements, source.Compare)
}

// isOrphan reports whether the Work of a WorkPlacement is gone, and the garbage collector will not
// delete the WorkPlacement.
func (s *Source) isOrphan(p *kratix.WorkPlacement) bool {
	if !p.DeletionTimestamp.IsZero() || p.Labels[kratix.WorkLabel] == "" {
		return false
	}
	if slices.ContainsFunc(p.OwnerReferences, func(r metav1.OwnerReference) bool { return r.Kind == kratix.WorkKind }) {
		return false
	}
	_, there := s.works.get(p.Work())
	return !there
}

// withUnseen returns the WorkPlacements of the watch and the expected WorkPlacements.
func (s *Source) withUnseen() []*kratix.WorkPlacement {
	unseen := s.unseen() // must be read before the mirror, because the watch may show a WorkPlacement at any time
	all := s.placements.stable()
	if len(unseen) == 0 {
		return all
	}
	for _, p := range all {
		delete(unseen, kratix.KeyOf(p))
	}
	for _, expected := range unseen {
		all = append(all, expected.object)
	}
	return all
}

func (s *Source) shareWithWork(p *kratix.WorkPlacement) {
	work, known := s.works.get(p.Work())
	if !known {
		return
	}
	for i := range work.Spec.WorkloadGroups {
		group := &work.Spec.WorkloadGroups[i]
		if group.ID != p.Spec.ID || len(group.Workloads) != len(p.Spec.Workloads) {
			continue
		}
		for j, workload := range group.Workloads {
			if p.Spec.Workloads[j] == workload {
				p.Spec.Workloads[j] = workload
			}
		}
	}
}
