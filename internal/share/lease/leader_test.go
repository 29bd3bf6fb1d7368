package lease

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// guarded are leases that several goroutines ask for.
type guarded struct {
	client.LeaseInterface
	mu    sync.Mutex
	inner *leases
}

func newGuarded() *guarded { return &guarded{inner: newLeases()} }

func (g *guarded) Leases(string) client.LeaseInterface { return g }

func (g *guarded) Get(_ context.Context, name string, _ metav1.GetOptions) (*coordination.Lease, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch have := g.inner.all[name]; {
	case g.inner.down != nil:
		return nil, g.inner.down
	case have == nil:
		return nil, refused(apierrors.NewNotFound, name)
	default:
		return have.DeepCopy(), nil
	}
}

func (g *guarded) Create(ctx context.Context, lease *coordination.Lease, options metav1.CreateOptions) (*coordination.Lease, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inner.Create(ctx, lease, options)
}

func (g *guarded) Update(ctx context.Context, lease *coordination.Lease, options metav1.UpdateOptions) (*coordination.Lease, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inner.Update(ctx, lease, options)
}

func (g *guarded) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inner.down = err
}

// leading is a replica in Lead.
type leading struct {
	stop context.CancelFunc
	// begun is closed when work begins; work ends some time after it is asked to.
	begun chan struct{}
	ended chan error

	mu   sync.Mutex
	told []string
}

// lead has a replica lead; once its work is asked to stop it takes that long.
func (g *guarded) lead(t *testing.T, name string, shared bool, takes time.Duration) *leading {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &leading{stop: stop, begun: make(chan struct{}), ended: make(chan error, 1)}
	leader := &Leader{Leases: g, Namespace: "default", Self: name, Shared: shared, Duration: duration}
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

// end stops it, and waits until it has ended.
func (l *leading) end(t *testing.T, who string) {
	t.Helper()
	l.stop()
	if err := <-l.ended; err != nil {
		t.Errorf("%s ends with %v", who, err)
	}
}

func (l *leading) works() bool {
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
		g := newGuarded()
		first := g.lead(t, "first", false, time.Minute)
		time.Sleep(time.Minute)
		second := g.lead(t, "second", false, 0)
		third := g.lead(t, "third", false, 0)
		if time.Sleep(time.Minute); !first.works() || second.works() || third.works() {
			t.Fatalf("working: %v %v %v", first.works(), second.works(), third.works())
		}
		third.end(t, "one that only waited")
		first.stop()
		if time.Sleep(59 * time.Second); second.works() {
			t.Error("it works while the first still has something in hand")
		}
		first.end(t, "the first")
		if time.Sleep(duration / 2); !second.works() {
			t.Error("the Lease was not given back")
		}
		second.end(t, "the second")
	})
}

func TestALeaderEndsWhenItCannotRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded()
		l := g.lead(t, "first", false, 0)
		time.Sleep(time.Minute)
		if !l.works() || len(l.told) > 0 {
			t.Fatalf("it works: %v; it tells %v", l.works(), l.told)
		}
		g.fail(errors.New("no route"))
		down := time.Now()
		if err := <-l.ended; !errors.Is(err, ErrNotLeading) {
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

func TestThoseThatShareKeepOutWhoWorksAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded()
		one, two := g.lead(t, "one", true, 0), g.lead(t, "two", true, 0)
		time.Sleep(time.Minute)
		alone := g.lead(t, "alone", false, 0)
		if time.Sleep(time.Minute); !one.works() || !two.works() || alone.works() {
			t.Fatalf("working: %v %v, alone %v", one.works(), two.works(), alone.works())
		}
		one.end(t, "one of two")
		if time.Sleep(time.Minute); alone.works() {
			t.Error("one that shares gave the Lease back, and another still works")
		}
		two.end(t, "the other")
		if time.Sleep(2 * duration); !alone.works() {
			t.Error("the Lease is over, and nobody takes it")
		}
		alone.end(t, "one that works alone")
	})
}

// TestAReplicasLeaseIsKeptWhileItWorks, and work ends when it cannot be.
func TestAReplicasLeaseIsKeptWhileItWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeases()
		a := l.keeper("a")
		published := make(chan struct{}, 1)
		a.Changed = func() { published <- struct{}{} }
		ctx, stop := context.WithCancel(t.Context())
		err := a.While(ctx, func(ctx context.Context) error {
			<-published
			stop()
			<-ctx.Done()
			if synctest.Wait(); len(l.all) != 1 {
				t.Error("the Lease was given back before work had ended")
			}
			return nil
		})
		if err != nil || len(l.all) != 0 {
			t.Errorf("%v, and there are %v", err, l.all)
		}

		l.down = errors.New("no route")
		a = l.keeper("a")
		a.own = &coordination.Lease{}
		if err := a.While(t.Context(), func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		}); !errors.Is(err, ErrLost) {
			t.Errorf("it ends with %v", err)
		}
	})
}
