package kratixlike

import (
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func (m *manager) observe() error {
	handlers := map[schema.GroupVersionResource]func(before, after *unstructured.Unstructured){
		workResource:        m.workEvent,
		placementResource:   m.placementEvent,
		destinationResource: m.destinationEvent,
		gitStoreResource:    m.storeEvent,
	}
	for resource, handle := range handlers {
		_, err := m.informers.ForResource(resource).Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(after any) { handle(nil, object(after)) },
			UpdateFunc: func(before, after any) { handle(object(before), object(after)) },
			DeleteFunc: func(before any) { handle(object(before), nil) },
		})
		if err != nil {
			return fmt.Errorf("observe %s: %w", resource.Resource, err)
		}
	}
	return nil
}

func object(of any) *unstructured.Unstructured {
	if missed, ok := of.(cache.DeletedFinalStateUnknown); ok {
		of = missed.Obj
	}
	found, _ := of.(*unstructured.Unstructured)
	return found
}

func (m *manager) workEvent(before, after *unstructured.Unstructured) {
	m.works.queue.Add(keyOf(either(before, after)))
}

func (m *manager) placementEvent(before, after *unstructured.Unstructured) {
	placement := either(before, after)
	if after == nil {
		m.placementGone(before)
	}
	m.works.queue.Add(kratix.Key{Namespace: placement.GetNamespace(), Name: placement.GetLabels()[kratix.WorkLabel]})
	if before == nil || after == nil || changed(before, after) {
		m.placements.queue.Add(keyOf(placement))
	}
}

// placementGone queues the objects whose deletion was blocked by a WorkPlacement.
func (m *manager) placementGone(placement *unstructured.Unstructured) {
	m.destinations.queue.Add(kratix.Key{Name: targetOf(placement)})
	for _, item := range m.informers.ForResource(workResource).Informer().GetStore().List() {
		work := object(item)
		if work.GetName() == placement.GetLabels()[kratix.WorkLabel] && work.GetDeletionTimestamp() != nil {
			m.works.queue.Add(keyOf(work))
		}
	}
}

func targetOf(placement *unstructured.Unstructured) string {
	name, _, _ := unstructured.NestedString(placement.Object, "spec", "targetDestinationName")
	return name
}

func (m *manager) destinationEvent(before, after *unstructured.Unstructured) {
	destination := either(before, after)
	m.destinations.queue.Add(keyOf(destination))
	for _, key := range m.keys(workResource) {
		m.works.queue.Add(key)
	}
	if before == nil || after == nil || before.GetGeneration() != after.GetGeneration() {
		m.queuePlacementsOn(destination.GetName())
	}
}

func (m *manager) storeEvent(before, after *unstructured.Unstructured) {
	store := either(before, after)
	m.stores.queue.Add(keyOf(store))
	for _, item := range m.informers.ForResource(destinationResource).Informer().GetStore().List() {
		destination := object(item)
		if name, _, _ := unstructured.NestedString(destination.Object, "spec", "stateStoreRef", "name"); name != store.GetName() {
			continue
		}
		m.destinations.queue.Add(keyOf(destination))
		if before == nil || after == nil || before.GetGeneration() != after.GetGeneration() {
			m.queuePlacementsOn(destination.GetName())
		}
	}
}

func (m *manager) queuePlacementsOn(destination string) {
	for _, item := range m.informers.ForResource(placementResource).Informer().GetStore().List() {
		if placement := object(item); targetOf(placement) == destination {
			m.placements.queue.Add(keyOf(placement))
		}
	}
}

func (m *manager) keys(resource schema.GroupVersionResource) []kratix.Key {
	items := m.informers.ForResource(resource).Informer().GetStore().List()
	keys := make([]kratix.Key, 0, len(items))
	for _, item := range items {
		keys = append(keys, keyOf(object(item)))
	}
	return keys
}

func changed(before, after metav1.Object) bool {
	return before.GetGeneration() != after.GetGeneration() ||
		!before.GetDeletionTimestamp().Equal(after.GetDeletionTimestamp()) ||
		!slices.Equal(before.GetFinalizers(), after.GetFinalizers()) ||
		!maps.Equal(before.GetLabels(), after.GetLabels())
}

func either(before, after *unstructured.Unstructured) *unstructured.Unstructured {
	if after != nil {
		return after
	}
	return before
}
