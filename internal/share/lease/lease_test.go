package lease

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	client "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/share"
)

// leases are those of a cluster, with the versions that its API would give them.
type leases struct {
	client.LeaseInterface
	all     map[string]*coordination.Lease
	version int
	clock   time.Time
	// down is what the API answers, if it is set.
	down error
	// mute is what it answers to an Update that comes through, if it is set.
	mute error
}

func newLeases() *leases {
	return &leases{all: map[string]*coordination.Lease{}, clock: time.Unix(1, 0)}
}

func (l *leases) now() time.Time { return l.clock }

func (l *leases) put(lease *coordination.Lease) *coordination.Lease {
	l.version++
	kept := lease.DeepCopy()
	kept.ResourceVersion = strconv.Itoa(l.version)
	if kept.UID == "" {
		kept.UID = types.UID("uid-" + kept.ResourceVersion)
	}
	l.all[lease.Name] = kept
	return kept.DeepCopy()
}

func refused(answer func(schema.GroupResource, string) *apierrors.StatusError, name string) error {
	return answer(schema.GroupResource{Resource: "leases"}, name)
}

func conflict(resource schema.GroupResource, name string) *apierrors.StatusError {
	return apierrors.NewConflict(resource, name, errors.New("another version"))
}

func (l *leases) Create(_ context.Context, lease *coordination.Lease, _ metav1.CreateOptions) (*coordination.Lease, error) {
	if l.down != nil {
		return nil, l.down
	}
	if l.all[lease.Name] != nil {
		return nil, refused(apierrors.NewAlreadyExists, lease.Name)
	}
	return l.put(lease), nil
}

func (l *leases) Update(_ context.Context, lease *coordination.Lease, _ metav1.UpdateOptions) (*coordination.Lease, error) {
	switch have := l.all[lease.Name]; {
	case l.down != nil:
		return nil, l.down
	case have == nil:
		return nil, refused(apierrors.NewNotFound, lease.Name)
	case have.ResourceVersion != lease.ResourceVersion || have.UID != lease.UID:
		return nil, refused(conflict, lease.Name)
	}
	return l.put(lease), l.mute
}

func (l *leases) Delete(_ context.Context, name string, options metav1.DeleteOptions) error {
	switch have := l.all[name]; {
	case l.down != nil:
		return l.down
	case have == nil:
		return refused(apierrors.NewNotFound, name)
	case have.ResourceVersion != *options.Preconditions.ResourceVersion || have.UID != *options.Preconditions.UID:
		return refused(conflict, name)
	}
	delete(l.all, name)
	return nil
}

func (l *leases) List(context.Context, metav1.ListOptions) (*coordination.LeaseList, error) {
	if l.down != nil {
		return nil, l.down
	}
	list := &coordination.LeaseList{}
	for _, lease := range l.all {
		list.Items = append(list.Items, *lease.DeepCopy())
	}
	return list, nil
}

const duration = 15 * time.Second

func (l *leases) keeper(name string) *Keeper {
	return &Keeper{
		Leases: l, Self: name, Share: share.New(name, l.now), Duration: duration, Now: l.now,
		Changed: func() {}, Trouble: func(error) {},
	}
}

// turn has each do a round, two seconds later.
func (l *leases) turn(t *testing.T, keepers ...*Keeper) {
	t.Helper()
	l.clock = l.clock.Add(2 * time.Second)
	for _, k := range keepers {
		if err := k.round(t.Context()); err != nil {
			t.Fatalf("%s: %v", k.Self, err)
		}
	}
}

func (l *leases) settle(t *testing.T, keepers ...*Keeper) {
	t.Helper()
	for range 4 {
		l.turn(t, keepers...)
	}
	for _, k := range keepers {
		if !k.Share.Settled() || len(k.Share.Living()) != len(keepers) {
			t.Fatalf("%s sees %v, and there are %d", k.Self, k.Share.Living(), len(keepers))
		}
	}
}

func TestTheOthersTakeOverWhenALeaseIsOver(t *testing.T) {
	l := newLeases()
	a, b := l.keeper("a"), l.keeper("b")
	l.settle(t, a, b)
	for passed := 2 * time.Second; passed <= duration; passed += 2 * time.Second {
		l.turn(t, a)
		if got := a.Share.Living(); !slices.Equal(got, []string{"a", "b"}) {
			t.Fatalf("b was taken for dead after %v: %v", passed, got)
		}
	}
	l.turn(t, a)
	l.turn(t, a)
	if !slices.Equal(a.Share.Living(), []string{"a"}) || !a.Share.Mine("anything") {
		t.Errorf("living %v, mine %v", a.Share.Living(), a.Share.Mine("anything"))
	}
	if err := b.round(t.Context()); !errors.Is(err, ErrLost) {
		t.Errorf("b wakes and is told %v", err)
	}
}

func TestOneThatRenewsInTimeIsNotDeleted(t *testing.T) {
	l := newLeases()
	a, b := l.keeper("a"), l.keeper("b")
	l.settle(t, a, b)
	stale := l.all["kratix-schedule-b"].DeepCopy()
	l.turn(t, b)
	if gone, err := a.remove(t.Context(), stale); gone || err != nil || l.all["kratix-schedule-b"] == nil {
		t.Errorf("gone %v, %v", gone, err)
	}
}

func TestALeaseThatAnEarlierProcessLeftIsWaitedFor(t *testing.T) {
	l := newLeases()
	before, a := l.keeper("a"), l.keeper("a")
	l.settle(t, before)
	for passed := time.Duration(0); passed < duration; passed += 2 * time.Second {
		l.turn(t, a)
		if a.own != nil || a.Share.Mine("x") {
			t.Fatalf("it took the Lease of another process after %v", passed)
		}
	}
	l.settle(t, a)
	if !a.Share.Mine("x") {
		t.Error("it has nothing")
	}
}

func TestAReplicaEndsWhenItCannotRenew(t *testing.T) {
	l := newLeases()
	a := l.keeper("a")
	a.Duration = 3 * time.Second
	l.settle(t, a)
	l.down = errors.New("no route")
	var told error
	a.Trouble = func(err error) { told, l.clock = err, l.clock.Add(time.Second) }
	if err := a.Keep(t.Context()); !errors.Is(err, ErrLost) || told == nil {
		t.Errorf("it ends with %v, and told %v", err, told)
	}
}

func TestALeaseIsGivenBack(t *testing.T) {
	l := newLeases()
	ctx, stop := context.WithCancel(t.Context())
	a := l.keeper("a")
	a.Changed = stop
	if err := a.Keep(ctx); err != nil || len(l.all) != 0 {
		t.Errorf("%v, and there are %v", err, l.all)
	}
}

// TestARenewalWhoseAnswerIsLostIsNoLoss: the API server wrote it, and the process did
// not hear of it in time.
func TestARenewalWhoseAnswerIsLostIsNoLoss(t *testing.T) {
	l := newLeases()
	a := l.keeper("a")
	l.settle(t, a)
	l.mute = context.DeadlineExceeded
	if err := a.round(t.Context()); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrLost) {
		t.Fatalf("it is told %v", err)
	}
	l.mute = nil
	l.turn(t, a)

	// Another's Lease of the same name is none of its own.
	delete(l.all, "kratix-schedule-a")
	l.put(a.lease(nil))
	if err := a.round(t.Context()); !errors.Is(err, ErrLost) {
		t.Errorf("it is told %v", err)
	}
}
