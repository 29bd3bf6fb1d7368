package lease_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	client "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/lease"
)

const duration = 15 * time.Second

// leases is a client for the Leases of one namespace. It checks resource versions like an API
// server.
type leases struct {
	client.LeaseInterface
	mu      sync.Mutex
	all     map[string]*coordination.Lease
	version int
	down    error
}

func newLeases() *leases { return &leases{all: map[string]*coordination.Lease{}} }

func (l *leases) Leases(string) client.LeaseInterface { return l }

func (l *leases) put(lease *coordination.Lease) *coordination.Lease {
	l.version++
	kept := lease.DeepCopy()
	kept.ResourceVersion = strconv.Itoa(l.version)
	l.all[lease.Name] = kept
	return kept.DeepCopy()
}

func refuse(answer func(schema.GroupResource, string) *apierrors.StatusError, name string) error {
	return answer(schema.GroupResource{Resource: "leases"}, name)
}

func conflict(resource schema.GroupResource, name string) *apierrors.StatusError {
	return apierrors.NewConflict(resource, name, errors.New("another version"))
}

func (l *leases) Get(_ context.Context, name string, _ metav1.GetOptions) (*coordination.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch have := l.all[name]; {
	case l.down != nil:
		return nil, l.down
	case have == nil:
		return nil, refuse(apierrors.NewNotFound, name)
	default:
		return have.DeepCopy(), nil
	}
}

func (l *leases) Create(_ context.Context, lease *coordination.Lease, _ metav1.CreateOptions) (*coordination.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.down != nil:
		return nil, l.down
	case l.all[lease.Name] != nil:
		return nil, refuse(apierrors.NewAlreadyExists, lease.Name)
	}
	return l.put(lease), nil
}

func (l *leases) Update(_ context.Context, lease *coordination.Lease, _ metav1.UpdateOptions) (*coordination.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch have := l.all[lease.Name]; {
	case l.down != nil:
		return nil, l.down
	case have == nil:
		return nil, refuse(apierrors.NewNotFound, lease.Name)
	case have.ResourceVersion != lease.ResourceVersion:
		return nil, refuse(conflict, lease.Name)
	}
	return l.put(lease), nil
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

func (l *leases) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = err
}

type leading struct {
	stop context.CancelFunc
	// begun is closed when work begins.
	begun chan struct{}
	ended chan error

	mu   sync.Mutex
	told []string
}

func (l *leases) start(t *testing.T, name string, takes time.Duration) *leading {
	t.Helper()
	return run(t, &lease.Leader{Leases: l, Namespace: "default", Lease: lease.Name, Self: name, Duration: duration}, takes)
}

func (l *leases) startShard(t *testing.T) *leading {
	t.Helper()
	return run(t, &lease.Leader{Leases: l, Namespace: "default", Lease: lease.Name, Self: "shards", Shared: true, Duration: duration}, 0)
}

func run(t *testing.T, leader *lease.Leader, takes time.Duration) *leading {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &leading{stop: stop, begun: make(chan struct{}), ended: make(chan error, 1)}
	tell := func(err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.told = append(l.told, err.Error())
	}
	go func() {
		l.ended <- leader.Lead(ctx, tell, func(ctx context.Context) error {
			close(l.begun)
			<-ctx.Done()
			time.Sleep(takes)
			return nil
		})
	}()
	return l
}

func (l *leading) stopAndWait(t *testing.T, who string) {
	t.Helper()
	l.stop()
	if err := <-l.ended; err != nil {
		t.Errorf("%s ends with %v", who, err)
	}
}

func (l *leading) isWorking() bool {
	synctest.Wait()
	select {
	case <-l.begun:
		return true
	default:
		return false
	}
}

func TestOneLeadsUntilItsWorkHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLeases()
		first := g.start(t, "first", time.Minute)
		time.Sleep(time.Minute)
		second := g.start(t, "second", 0)
		third := g.start(t, "third", 0)
		if time.Sleep(time.Minute); !first.isWorking() || second.isWorking() || third.isWorking() {
			t.Fatalf("working: %v %v %v", first.isWorking(), second.isWorking(), third.isWorking())
		}
		third.stopAndWait(t, "one that only waited")
		first.stop()
		if time.Sleep(59 * time.Second); second.isWorking() {
			t.Error("it works while the first still has something in hand")
		}
		first.stopAndWait(t, "the first")
		if time.Sleep(duration / 2); !second.isWorking() {
			t.Error("the Lease was not given back")
		}
		second.stopAndWait(t, "the second")
	})
}

func TestLeaderEndsWhenItCannotRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLeases()
		l := g.start(t, "first", 0)
		time.Sleep(time.Minute)
		if !l.isWorking() || len(l.told) > 0 {
			t.Fatalf("it works: %v; it tells %v", l.isWorking(), l.told)
		}
		g.fail(errors.New("no route"))
		down := time.Now()
		if err := <-l.ended; !errors.Is(err, lease.ErrNotLeading) {
			t.Errorf("it ends with %v", err)
		}
		if took := time.Since(down); took >= duration {
			t.Errorf("it went on for %s, when another may have begun", took)
		}
		if said := strings.Join(l.told, "\n"); !strings.Contains(said, "the Lease default/kratix-schedule: no route") {
			t.Errorf("it tells %q", said)
		}
	})
}

func TestSharedLeaseExcludesASingleHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLeases()
		one, two := g.startShard(t), g.startShard(t)
		time.Sleep(time.Minute)
		alone := g.start(t, "alone", 0)
		if time.Sleep(time.Minute); !one.isWorking() || !two.isWorking() || alone.isWorking() {
			t.Fatalf("working: %v %v, alone %v", one.isWorking(), two.isWorking(), alone.isWorking())
		}
		one.stopAndWait(t, "one of two")
		if time.Sleep(time.Minute); alone.isWorking() {
			t.Error("one of two gave the Lease back, and the other still works")
		}
		two.stopAndWait(t, "the other")
		if time.Sleep(2 * duration); !alone.isWorking() {
			t.Error("the Lease is over, and nobody takes it")
		}
		alone.stopAndWait(t, "one that works alone")
	})
}

func TestLeasesOfDifferentNamesAreIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLeases()
		var all []*leading
		for _, name := range []string{lease.Name + "-a", lease.Name + "-b"} {
			all = append(all, run(t, &lease.Leader{Leases: g, Namespace: "default", Lease: name, Self: "pod", Duration: duration}, 0))
		}
		time.Sleep(duration)
		for _, l := range all {
			if !l.isWorking() {
				t.Error("one waits for the Lease of another")
			}
			l.stopAndWait(t, "a shard")
		}
	})
}
