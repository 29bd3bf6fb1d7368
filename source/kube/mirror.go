package kube

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// object is what the API has and the domain knows.
type object interface {
	kratix.Object
	runtime.Object
	metav1.Object
}

// mirror follows all objects of one kind. It has two views of them: fresh is
// what the API said last; settled changes only when something changes that a
// round depends on, so that a round recognizes by its address what it has seen
// before.
type mirror[O object] struct {
	feed *cache.Reflector
	kind feature[O]
	// heard is called after every event.
	heard func(news)

	mu             sync.RWMutex
	fresh, settled map[kratix.Key]O
	// wrong says why an object cannot be read. Of such a one the metadata is known,
	// and only the fresh view has it.
	wrong  map[kratix.Key]error
	synced bool
	// trouble is why the API cannot be followed now.
	trouble error
}

// feature is what a mirror knows of its kind; nil does nothing, or sees no
// difference.
type feature[O object] struct {
	// look is called with each object as the API sent it.
	look func(O)
	// slim takes out of an object what is never asked for.
	slim func(O)
	// same compares what a round looks at beside the metadata and the spec.
	same func(a, b O) bool
	// content compares the specs as far as a round depends on them: what differs in
	// nothing else but the generation is renewed.
	content func(a, b O) bool
	// share has an object use the memory of one that is equal but for its status.
	share func(with, o O)
	// deleted is called with whether an object is deleted, or being deleted.
	deleted func(key kratix.Key, is bool)
}

// newMirror makes a mirror of those objects of a resource that a field selector
// picks, in a namespace or, if that is empty, in all.
func newMirror[O object](client rest.Interface, resource string, at scope, example carrier[O], kind feature[O], heard func(news)) *mirror[O] {
	if kind.look == nil {
		kind.look = func(O) {}
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
	m := &mirror[O]{kind: kind, heard: heard, fresh: map[kratix.Key]O{}, settled: map[kratix.Key]O{}, wrong: map[kratix.Key]error{}}
	request := func(options metav1.ListOptions) *rest.Request {
		options.FieldSelector = at.fields
		return client.Get().NamespaceIfScoped(at.namespace, at.namespace != "").Resource(resource).VersionedParams(&options, metav1.ParameterCodec)
	}
	calls := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			found, err := usualLimits().listed(ctx, request(options))
			m.troubled(resource, err)
			return found, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch = true
			stream, err := usualLimits().watched(ctx, request(options), options)
			m.troubled(resource, err)
			return stream, err
		},
	}
	m.feed = cache.NewReflectorWithOptions(calls, example, m, cache.ReflectorOptions{Name: resource})
	return m
}

// scope narrows what is mirrored.
type scope struct{ namespace, fields string }

// run follows until ctx ends. What goes wrong is kept for the next snapshot to
// tell, and not logged here.
func (m *mirror[O]) run(ctx context.Context) {
	m.feed.RunWithContext(klog.NewContext(ctx, logr.Discard()))
}

func (m *mirror[O]) troubled(resource string, err error) {
	if err != nil {
		err = fmt.Errorf("follow %s: %w", resource, err)
		defer m.heard(nothing)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trouble = err
}

// ready reports whether everything was seen once, and if not, why.
func (m *mirror[O]) ready() (seen bool, why error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.synced, m.trouble
}

var _ cache.TransformingStore = (*mirror[*kratix.Work])(nil)

// Transformer has objects made smaller before many of them are held at once.
func (m *mirror[O]) Transformer() cache.TransformFunc {
	return func(seen any) (any, error) {
		if sent, ok := seen.(carrier[O]); ok {
			_, _ = m.slimmed(sent) // what is wrong with it is reported once it is taken
		}
		return seen, nil
	}
}

// lastApplied is where kubectl keeps the whole object a second time.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

func (m *mirror[O]) slimmed(seen carrier[O]) (o O, wrong error) {
	o, wrong = seen.carried()
	m.kind.look(o)
	o.SetManagedFields(nil)
	delete(o.GetAnnotations(), lastApplied)
	m.kind.slim(o)
	return o, wrong
}

// Add takes in an object that is new.
func (m *mirror[O]) Add(seen any) error { return m.Update(seen) }

// Update takes in an object as it is now.
func (m *mirror[O]) Update(seen any) error {
	sent, ok := seen.(carrier[O])
	if !ok {
		return fmt.Errorf("unexpected object %T", seen)
	}
	m.mu.Lock()
	differs := m.take(sent)
	m.mu.Unlock()
	m.heard(differs)
	return nil
}

// take takes an object in, and returns what that means for rounds.
func (m *mirror[O]) take(sent carrier[O]) news {
	o, wrong := m.slimmed(sent)
	key := kratix.KeyOf(o)
	m.fresh[key] = o
	m.kind.deleted(key, !o.GetDeletionTimestamp().IsZero())
	if wrong != nil {
		before, known := m.wrong[key]
		delete(m.settled, key)
		m.wrong[key] = wrong
		if known && before.Error() == wrong.Error() {
			return nothing
		}
		return changed
	}
	delete(m.wrong, key)
	before, known := m.settled[key]
	isLike := known && sameMetadata(before, o) && m.kind.same(before, o)
	if isLike && before.GetGeneration() == o.GetGeneration() {
		m.kind.share(before, o)
		return nothing
	}
	m.settled[key] = o
	if isLike && m.kind.content(before, o) {
		return renewed
	}
	return changed
}

// Delete forgets an object.
func (m *mirror[O]) Delete(seen any) error {
	sent, ok := seen.(carrier[O])
	if !ok {
		return fmt.Errorf("unexpected object %T", seen)
	}
	o, _ := sent.carried()
	key := kratix.KeyOf(o)
	m.mu.Lock()
	delete(m.fresh, key)
	delete(m.settled, key)
	delete(m.wrong, key)
	m.kind.deleted(key, true)
	m.mu.Unlock()
	m.heard(changed)
	return nil
}

// Replace takes in everything there is.
func (m *mirror[O]) Replace(all []any, _ string) error {
	m.mu.Lock()
	differs := nothing
	if !m.synced {
		differs = changed
	}
	m.synced, m.trouble = true, nil
	m.fresh = make(map[kratix.Key]O, len(all))
	for _, seen := range all {
		if sent, ok := seen.(carrier[O]); ok {
			differs = max(differs, m.take(sent))
		}
	}
	gone := len(m.settled) + len(m.wrong)
	maps.DeleteFunc(m.settled, func(key kratix.Key, _ O) bool { return !m.has(key) })
	maps.DeleteFunc(m.wrong, func(key kratix.Key, _ error) bool { return !m.has(key) })
	if len(m.settled)+len(m.wrong) < gone {
		differs = changed
	}
	m.mu.Unlock()
	m.heard(differs)
	return nil
}

func (m *mirror[O]) has(key kratix.Key) bool {
	_, there := m.fresh[key]
	return there
}

// Resync has nothing to do.
func (m *mirror[O]) Resync() error { return nil }

// sameMetadata compares what a round looks at, but for the generation, which counts
// every change of a spec.
func sameMetadata(a, b metav1.Object) bool {
	return a.GetUID() == b.GetUID() &&
		a.GetDeletionTimestamp().IsZero() == b.GetDeletionTimestamp().IsZero() &&
		maps.Equal(a.GetLabels(), b.GetLabels()) && maps.Equal(a.GetAnnotations(), b.GetAnnotations())
}

// current returns the fresh view, in no order.
func (m *mirror[O]) current() []O { return m.list(func() map[kratix.Key]O { return m.fresh }) }

// stable returns the settled view, in no order.
func (m *mirror[O]) stable() []O { return m.list(func() map[kratix.Key]O { return m.settled }) }

// unreadable returns the objects that cannot be read, and why.
func (m *mirror[O]) unreadable() map[kratix.Object]error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	found := make(map[kratix.Object]error, len(m.wrong))
	for key, wrong := range m.wrong {
		found[m.fresh[key]] = wrong
	}
	return found
}

func (m *mirror[O]) list(view func() map[kratix.Key]O) []O {
	m.mu.RLock()
	defer m.mu.RUnlock()
	objects := make([]O, 0, len(m.fresh))
	for _, o := range view() {
		objects = append(objects, o)
	}
	return objects
}

// get returns an object as the API said last.
func (m *mirror[O]) get(key kratix.Key) (O, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	o, there := m.fresh[key]
	return o, there
}

// each does something with each object, before anybody else has one in hand.
func (m *mirror[O]) each(do func(O)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.fresh {
		do(o)
	}
}

// reached reports whether an object is seen as it was at a version, or later; one
// without a version is to be gone.
func (m *mirror[O]) reached(key kratix.Key, version string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	seen, there := m.fresh[key]
	if !there || version == "" {
		return !there
	}
	order, err := resourceversion.CompareResourceVersion(seen.GetResourceVersion(), version)
	return err != nil || order >= 0
}
