package kratix

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Interner interns strings and selectors. It keeps the recently used values. The zero value is
// ready to use. Interner is not safe for concurrent use.
//
// +kubebuilder:object:generate=false
type Interner struct {
	strings   recent[string]
	selectors recent[[]Selector]
}

const (
	// minInterned is half the maximum number of cached strings, and of cached lists of selectors.
	minInterned = 1 << 12
	// maxInternedString is the maximum length in bytes of an interned string. maxInternedList is
	// the maximum length in bytes of an interned list of selectors as text.
	maxInternedString, maxInternedList = 256, 1024
)

// One returns the interned copy of word. It does not intern long strings.
func (w *Interner) One(word string) string {
	if word == "" || len(word) > maxInternedString {
		return word
	}
	return w.strings.one(word, func() string { return word })
}

// ShareWork interns strings and selectors of a new Work. The selectors must not be modified
// afterwards.
func (w *Interner) ShareWork(work *Work) {
	w.shareMeta(&work.TypeMeta, &work.ObjectMeta)
	work.Labels = w.oneOfEach(work.Labels)
	work.Status.Conditions = w.conditions(work.Status.Conditions)
	spec := &work.Spec
	spec.PromiseName, spec.ResourceName = w.One(spec.PromiseName), w.One(spec.ResourceName)
	spec.WorkloadGroups = fit(spec.WorkloadGroups)
	for i := range spec.WorkloadGroups {
		group := &spec.WorkloadGroups[i]
		group.ID, group.Directory = w.One(group.ID), w.One(group.Directory)
		group.Workloads = w.workloads(group.Workloads)
		group.DestinationSelectors = w.selectorsOf(group.DestinationSelectors)
	}
}

// ShareWorkPlacement does the same as ShareWork for a WorkPlacement.
func (w *Interner) ShareWorkPlacement(p *WorkPlacement) {
	w.shareMeta(&p.TypeMeta, &p.ObjectMeta)
	p.Labels = w.oneOfEach(p.Labels)
	p.Status.Conditions = w.conditions(p.Status.Conditions)
	p.Status.VersionID = w.One(p.Status.VersionID)
	spec := &p.Spec
	spec.TargetDestinationName, spec.PromiseName = w.One(spec.TargetDestinationName), w.One(spec.PromiseName)
	spec.ResourceName, spec.ID = w.One(spec.ResourceName), w.One(spec.ID)
	spec.Workloads = w.workloads(spec.Workloads)
}

func (w *Interner) shareMeta(kind *metav1.TypeMeta, meta *metav1.ObjectMeta) {
	kind.APIVersion, kind.Kind = w.One(kind.APIVersion), w.One(kind.Kind)
	meta.Namespace = w.One(meta.Namespace)
	meta.Annotations = w.oneOfEach(meta.Annotations)
	meta.Finalizers = fit(meta.Finalizers)
	for i, finalizer := range meta.Finalizers {
		meta.Finalizers[i] = w.One(finalizer)
	}
	meta.OwnerReferences, meta.ManagedFields = fit(meta.OwnerReferences), fit(meta.ManagedFields)
	for i := range meta.OwnerReferences {
		owner := &meta.OwnerReferences[i]
		owner.APIVersion, owner.Kind, owner.Name = w.One(owner.APIVersion), w.One(owner.Kind), w.One(owner.Name)
	}
}

func (w *Interner) oneOfEach(all map[string]string) map[string]string {
	if len(all) == 0 {
		return all
	}
	shared := make(map[string]string, len(all))
	for key, value := range all {
		shared[w.One(key)] = w.One(value)
	}
	return shared
}

func (w *Interner) conditions(all []metav1.Condition) []metav1.Condition {
	all = fit(all)
	for i := range all {
		c := &all[i]
		c.Type, c.Status = w.One(c.Type), metav1.ConditionStatus(w.One(string(c.Status)))
		c.Reason, c.Message = w.One(c.Reason), w.One(c.Message)
	}
	return all
}

func (w *Interner) workloads(all []Workload) []Workload {
	all = fit(all)
	for i := range all {
		all[i].Filepath = w.One(all[i].Filepath)
	}
	return all
}

func (w *Interner) selectorsOf(asked []Selector) []Selector {
	made := func() []Selector {
		one := slices.Clip(slices.Clone(asked))
		for i := range one {
			s := &one[i]
			s.Source, s.MatchLabels, s.MatchExpressions = w.One(s.Source), w.oneOfEach(s.MatchLabels), fit(s.MatchExpressions)
		}
		return one
	}
	key := fmt.Sprintf("%#v", asked) // %#v prints maps in order, and strings in quotes
	if len(key) > maxInternedList {
		return made()
	}
	return w.selectors.one(key, made)
}

func fit[T any](list []T) []T {
	if cap(list) == len(list) {
		return list
	}
	return slices.Clip(slices.Clone(list))
}

// recent caches at most 2*minInterned recently used values.
type recent[V any] struct{ now, before map[string]V }

func (r *recent[V]) one(key string, made func() V) V {
	value, known := r.now[key]
	if known {
		return value
	}
	if value, known = r.before[key]; !known {
		value = made()
	}
	if len(r.now) >= minInterned {
		r.before, r.now = r.now, nil
	}
	if r.now == nil {
		r.now = map[string]V{}
	}
	r.now[key] = value
	return value
}
