package kube

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type object interface {
	kratix.Object
	runtime.Object
	metav1.Object
}

// mirror lists and watches the objects of one kind. latest has the latest version of each object.
// roundView has an older version while newer versions have no effect on a round.
type mirror[O object] struct {
	feed *cache.Reflector
	kind feature[O]
	// notify is called after events, with their effect on rounds.
	notify func(effect)

	mu                sync.RWMutex
	latest, roundView map[kratix.Key]O
	// wrong are the errors of objects that cannot be decoded. latest has only the metadata of these
	// objects.
	wrong     map[kratix.Key]error
	synced    bool
	lastError error
	// received counts objects that have arrived.
	received atomic.Int64
}

// feature has the functions for one kind of objects. Each of them may be nil.
type feature[O object] struct {
	inspect func(O)
	slim    func(O)
	// same reports whether two versions are equal for a round, apart from metadata and spec.
	same func(a, b O) bool
	// content reports whether the specs of two versions are equal for a round.
	content func(a, b O) bool
	// share makes o use the memory of older, a version of the same generation.
	share func(older, o O)
	// deleted records whether an object is deleted or being deleted.
	deleted func(key kratix.Key, isDeleted bool)
	// optional means that there are no objects if the kind or the permission to list it is missing.
	optional bool
}

// newMirror returns a mirror of a resource in a scope.
func newMirror[O object](client rest.Interface, resource string, at scope, example receivedObject[O], kind feature[O], heard func(effect)) *mirror[O] {
	if kind.inspect == nil {
		kind.inspect = func(O) {}
	}
	if kind.slim == nil {
		kind.slim = func(O) {}
	}
	if kind.same == nil {
		kind.same = func(O, O) bool { return true }
	}
	if kind.content == nil {
		kind.content = func(O, O) bool { return false }
	}
	if kind.share == nil {
		kind.share = func(O, O) {}
	}
	if kind.deleted == nil {
		kind.deleted = func(kratix.Key, bool) {}
	}
	m := &mirror[O]{kind: kind, notify: heard, latest: map[kratix.Key]O{}, roundView: map[kratix.Key]O{}, wrong: map[kratix.Key]error{}}
	request := func(options metav1.ListOptions) *rest.Request {
		options.FieldSelector, options.LabelSelector = at.fields, at.labels
		return client.Get().NamespaceIfScoped(at.namespace, at.namespace != "").Resource(resource).VersionedParams(&options, metav1.ParameterCodec)
	}
	calls := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			found, err := usualLimits().listed(ctx, request(options))
			if kind.isAbsent(err) {
				return &metav1.PartialObjectMetadataList{}, nil
			}
			m.troubled(resource, err)
			return found, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch = true
			stream, err := usualLimits().watched(ctx, request(options), options)
			if !kind.isAbsent(err) {
				m.troubled(resource, err)
			}
			return stream, err
		},
	}
	m.feed = cache.NewReflectorWithOptions(calls, example, m, cache.ReflectorOptions{Name: resource})
	return m
}

func (f feature[O]) isAbsent(err error) bool {
	return f.optional && (apierrors.IsNotFound(err) || apierrors.IsForbidden(err))
}

// scope restricts a mirror to a namespace, a field selector and a label selector. Each may be
// empty.
type scope struct{ namespace, fields, labels string }

// run lists and watches objects until ctx ends. It does not log errors; ready returns them.
func (m *mirror[O]) run(ctx context.Context) {
	m.feed.RunWithContext(klog.NewContext(ctx, logr.Discard()))
}

func (m *mirror[O]) troubled(resource string, err error) {
	if err != nil {
		err = fmt.Errorf("follow %s: %w", resource, err)
		defer m.notify(nothing)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastError = err
}

// ready reports whether the objects have been listed, and returns the current error of the list or
// watch.
func (m *mirror[O]) ready() (seen bool, why error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.synced, m.lastError
}

var _ cache.TransformingStore = (*mirror[*kratix.Work])(nil)

// Transformer returns a function that removes unused fields from an object.
func (m *mirror[O]) Transformer() cache.TransformFunc {
	return func(seen any) (any, error) {
		if sent, ok := seen.(receivedObject[O]); ok {
			_, _ = m.slimmed(sent) // Update reports the error
			m.received.Add(1)
		}
		return seen, nil
	}
}

// lastApplied is the annotation in which kubectl stores the whole object.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

func (m *mirror[O]) slimmed(seen receivedObject[O]) (o O, wrong error) {
	o, wrong = seen.result()
	m.kind.inspect(o)
	o.SetManagedFields(nil)
	delete(o.GetAnnotations(), lastApplied)
	m.kind.slim(o)
	return o, wrong
}

// Add implements cache.Store.
func (m *mirror[O]) Add(seen any) error { return m.Update(seen) }

func (m *mirror[O]) Update(seen any) error {
	sent, ok := seen.(receivedObject[O])
	if !ok {
		return fmt.Errorf("unexpected object %T", seen)
	}
	m.mu.Lock()
	differs := m.take(sent)
	m.mu.Unlock()
	m.notify(differs)
	return nil
}

func (m *mirror[O]) take(sent receivedObject[O]) effect {
	o, wrong := m.slimmed(sent)
	key := kratix.KeyOf(o)
	m.latest[key] = o
	m.kind.deleted(key, !o.GetDeletionTimestamp().IsZero())
	if wrong != nil {
		before, known := m.wrong[key]
		delete(m.roundView, key)
		m.wrong[key] = wrong
		if known && before.Error() == wrong.Error() {
			return nothing
		}
		return changed
	}
	delete(m.wrong, key)
	before, known := m.roundView[key]
	isLike := known && sameMetadata(before, o) && m.kind.same(before, o)
	if isLike && before.GetGeneration() == o.GetGeneration() {
		m.kind.share(before, o)
		return nothing
	}
	m.roundView[key] = o
	if isLike && m.kind.content(before, o) {
		return renewed
	}
	return changed
}

func (m *mirror[O]) Delete(seen any) error {
	sent, ok := seen.(receivedObject[O])
	if !ok {
		return fmt.Errorf("unexpected object %T", seen)
	}
	o, _ := sent.result()
	key := kratix.KeyOf(o)
	m.mu.Lock()
	delete(m.latest, key)
	delete(m.roundView, key)
	delete(m.wrong, key)
	m.kind.deleted(key, true)
	m.mu.Unlock()
	m.notify(changed)
	return nil
}

func (m *mirror[O]) Replace(all []any, _ string) error {
	m.mu.Lock()
	differs := nothing
	if !m.synced {
		differs = changed
	}
	m.synced, m.lastError = true, nil
	m.latest = make(map[kratix.Key]O, len(all))
	for _, seen := range all {
		if sent, ok := seen.(receivedObject[O]); ok {
			differs = max(differs, m.take(sent))
		}
	}
	gone := len(m.roundView) + len(m.wrong)
	maps.DeleteFunc(m.roundView, func(key kratix.Key, _ O) bool { return !m.has(key) })
	maps.DeleteFunc(m.wrong, func(key kratix.Key, _ error) bool { return !m.has(key) })
	if len(m.roundView)+len(m.wrong) < gone {
		differs = changed
	}
	m.mu.Unlock()
	m.notify(differs)
	return nil
}

func (m *mirror[O]) has(key kratix.Key) bool {
	_, there := m.latest[key]
	return there
}

func (m *mirror[O]) Resync() error { return nil }

// sameMetadata reports whether the metadata of two objects are equal for a round.
func sameMetadata(a, b metav1.Object) bool {
	return a.GetUID() == b.GetUID() &&
		a.GetDeletionTimestamp().IsZero() == b.GetDeletionTimestamp().IsZero() &&
		maps.Equal(a.GetLabels(), b.GetLabels()) && maps.Equal(a.GetAnnotations(), b.GetAnnotations())
}

func (m *mirror[O]) current() []O { return m.list(func() map[kratix.Key]O { return m.latest }) }

func (m *mirror[O]) stable() []O { return m.list(func() map[kratix.Key]O { return m.roundView }) }

func (m *mirror[O]) unreadable() map[kratix.Object]error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	found := make(map[kratix.Object]error, len(m.wrong))
	for key, wrong := range m.wrong {
		found[m.latest[key]] = wrong
	}
	return found
}

func (m *mirror[O]) list(view func() map[kratix.Key]O) []O {
	m.mu.RLock()
	defer m.mu.RUnlock()
	objects := make([]O, 0, len(m.latest))
	for _, o := range view() {
		objects = append(objects, o)
	}
	return objects
}

func (m *mirror[O]) get(key kratix.Key) (O, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	o, there := m.latest[key]
	return o, there
}

// each calls do for each object. If do modifies objects, no other method may have returned them.
func (m *mirror[O]) each(do func(O)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.latest {
		do(o)
	}
}

// reached reports whether the mirror has this or a later version of the object, or does not have
// the object. An empty version means that the object must be gone.
func (m *mirror[O]) reached(key kratix.Key, version string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	seen, there := m.latest[key]
	if !there || version == "" {
		return !there
	}
	order, err := resourceversion.CompareResourceVersion(seen.GetResourceVersion(), version)
	return err != nil || order >= 0
}
