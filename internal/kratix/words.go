package kratix

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Words has very many objects share one copy of what most of them say: names of
// Promises, namespaces, labels, selectors. It remembers the last few thousand of
// these, each until so many others came that it is not among them any more, and
// forgets the rest, so that what nobody uses goes. Its zero value is ready for
// use; it is not for concurrent use.
//
// The package unique would forget, at each collection of garbage, all of which
// nobody keeps a handle, so that objects which come one by one would share
// nothing; and a handle for each word is half as large as the words are.
//
// +kubebuilder:object:generate=false
type Words struct {
	words     recent[string]
	selectors recent[[]Selector]
}

const (
	// manyWords is how many are remembered for certain; it may be twice as many.
	manyWords = 1 << 12
	// longWord and longList are the lengths in bytes above which a word, or a list of
	// selectors when it is written out, is not remembered: what is that long is
	// rarely said twice.
	longWord, longList = 256, 1024
)

// One returns the one copy of a word.
func (w *Words) One(word string) string {
	if word == "" || len(word) > longWord {
		return word
	}
	return w.words.one(word, func() string { return word })
}

// ShareWork has a Work that was just made use the memory of others that say the
// same, and no more memory than it needs. Its selectors must never be changed in
// place after that.
func (w *Words) ShareWork(work *Work) {
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

// ShareWorkPlacement is ShareWork for a WorkPlacement.
func (w *Words) ShareWorkPlacement(p *WorkPlacement) {
	w.shareMeta(&p.TypeMeta, &p.ObjectMeta)
	p.Labels = w.oneOfEach(p.Labels)
	p.Status.Conditions = w.conditions(p.Status.Conditions)
	p.Status.VersionID = w.One(p.Status.VersionID)
	spec := &p.Spec
	spec.TargetDestinationName, spec.PromiseName = w.One(spec.TargetDestinationName), w.One(spec.PromiseName)
	spec.ResourceName, spec.ID = w.One(spec.ResourceName), w.One(spec.ID)
	spec.Workloads = w.workloads(spec.Workloads)
}

func (w *Words) shareMeta(kind *metav1.TypeMeta, meta *metav1.ObjectMeta) {
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

// oneOfEach returns a map of the same words.
func (w *Words) oneOfEach(all map[string]string) map[string]string {
	if len(all) == 0 {
		return all
	}
	shared := make(map[string]string, len(all))
	for key, value := range all {
		shared[w.One(key)] = w.One(value)
	}
	return shared
}

func (w *Words) conditions(all []metav1.Condition) []metav1.Condition {
	all = fit(all)
	for i := range all {
		c := &all[i]
		c.Type, c.Status = w.One(c.Type), metav1.ConditionStatus(w.One(string(c.Status)))
		c.Reason, c.Message = w.One(c.Reason), w.One(c.Message)
	}
	return all
}

// workloads shares the names of files; their contents are rarely the same.
func (w *Words) workloads(all []Workload) []Workload {
	all = fit(all)
	for i := range all {
		all[i].Filepath = w.One(all[i].Filepath)
	}
	return all
}

// selectorsOf returns the one copy of a list of selectors: hardly a Work asks for
// what no other asks for.
func (w *Words) selectorsOf(asked []Selector) []Selector {
	made := func() []Selector {
		one := slices.Clip(slices.Clone(asked))
		for i := range one {
			s := &one[i]
			s.Source, s.MatchLabels, s.MatchExpressions = w.One(s.Source), w.oneOfEach(s.MatchLabels), fit(s.MatchExpressions)
		}
		return one
	}
	key := fmt.Sprintf("%#v", asked) // maps are printed in order, and strings in quotes
	if len(key) > longList {
		return made()
	}
	return w.selectors.one(key, made)
}

// fit returns a slice that takes no more memory than its elements need: a decoder
// makes it for four at once.
func fit[T any](list []T) []T {
	if cap(list) == len(list) {
		return list
	}
	return slices.Clip(slices.Clone(list))
}

// recent holds the last values that were asked for: at least manyWords, and at
// most twice as many.
type recent[V any] struct{ now, before map[string]V }

// one returns the value of a key, and makes it if it is not remembered.
func (r *recent[V]) one(key string, made func() V) V {
	value, known := r.now[key]
	if known {
		return value
	}
	if value, known = r.before[key]; !known {
		value = made()
	}
	if len(r.now) >= manyWords {
		r.before, r.now = r.now, nil
	}
	if r.now == nil {
		r.now = map[string]V{}
	}
	r.now[key] = value
	return value
}
