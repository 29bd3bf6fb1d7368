package daemon

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/telemetry"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

// bubble is a daemon with its input and store in memory, so that it can run on a virtual clock.
type bubble struct {
	daemon  *Daemon
	logs    *observer.ObservedLogs
	changes chan struct{}

	mu       sync.Mutex
	snapshot source.Snapshot
	works    map[string]*kratix.Work
	down     bool
	// asked is the number of calls to the store since the last call of counts, and written is the
	// number of writes among them.
	asked, written int
	stored         statestore.Store
}

func newBubble(t *testing.T) *bubble {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	b := &bubble{
		logs: logs, changes: make(chan struct{}, 1), works: map[string]*kratix.Work{}, stored: memory.New("GitStateStore default"),
	}
	b.snapshot.Destinations = []*kratix.Destination{testkit.Destination("worker-1")}
	b.snapshot.GitStateStores = []*kratix.GitStateStore{testkit.GitStore("default", "memory")}
	b.daemon = &Daemon{
		Reconciler: &reconcile.Reconciler{Source: b, Stores: b, Finish: reconcile.Commit}, Interval: 5 * time.Minute, Shutdown: time.Second,
		Version: "test", Now: time.Now, Log: zap.New(core), Level: zap.NewAtomicLevel(), Traces: noop.NewTracerProvider(),
	}
	b.daemon.assemble(nil)
	return b
}

func (b *bubble) Snapshot(context.Context) (source.Snapshot, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.snapshot
	for _, work := range b.works {
		now.Works = append(now.Works, work)
	}
	return now, nil
}

func (b *bubble) Changes(context.Context) (<-chan struct{}, error) { return b.changes, nil }

func (b *bubble) Open(kratix.StateStoreReference, kratix.Object, *kratix.Secret) (statestore.Store, error) {
	return b, nil
}

func (b *bubble) call() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if b.down {
		return &statestore.Error{Op: "read", Store: "GitStateStore default", Err: statestore.ErrUnavailable, Fix: "Start it."}
	}
	return nil
}

func (b *bubble) Read(ctx context.Context) (statestore.State, error) {
	if err := b.call(); err != nil {
		return statestore.State{}, err
	}
	return b.stored.Read(ctx)
}

func (b *bubble) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if err := b.call(); err != nil {
		return "", err
	}
	if !changes.Empty() {
		b.mu.Lock()
		b.written++
		b.mu.Unlock()
	}
	return b.stored.Apply(ctx, changes)
}

func (b *bubble) putAndNotify(name, content string) {
	b.add(name, content)
	select {
	case b.changes <- struct{}{}:
	default:
	}
}

func (b *bubble) add(name, content string) {
	work := testkit.Request(name, testkit.WithFile("map.yaml", testkit.ConfigMaps(name)+"data: {content: \""+content+"\"}\n"))
	b.mu.Lock()
	b.works[name] = work
	b.mu.Unlock()
}

func (b *bubble) setDown(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
}

func (b *bubble) counts() (asked, written int) {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	asked, written = b.asked, b.written
	b.asked, b.written = 0, 0
	return asked, written
}

func (b *bubble) page(path string) string {
	synctest.Wait()
	answer := httptest.NewRecorder()
	b.daemon.server.Handler(b.daemon.registry, telemetry.Admin{Level: b.daemon.Level}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil)) //nolint:noctx // the request is not sent
	return answer.Body.String()
}

func inABubble(t *testing.T, test func(*testing.T, *bubble)) {
	t.Helper()
	inABubbleWith(t, func(*bubble) {}, test)
}

func inABubbleWith(t *testing.T, prepare func(*bubble), test func(*testing.T, *bubble)) {
	t.Helper()
	_, forget := refreshSignals() // starts the goroutine for signals, which does not belong to the bubble
	forget()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		prepare(b)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.daemon.rounds(ctx, b.changes) }()
		test(t, b)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestStoreThatIsDownForTenMinutes(t *testing.T) {
	inABubble(t, func(t *testing.T, b *bubble) {
		for i := range 50 {
			b.putAndNotify(fmt.Sprint("work-", i), "first")
		}
		time.Sleep(time.Minute)
		b.counts()
		b.logs.TakeAll()
		before := runtime.NumGoroutine()
		b.setDown(true)
		for minute := range 10 {
			for i := range 50 {
				time.Sleep(time.Minute / 50)
				b.putAndNotify(fmt.Sprint("work-", i), fmt.Sprint("minute ", minute))
			}
			if minute == 5 {
				if said := b.page("/readyz"); !strings.Contains(said, "not ready: no store works\nGitStateStore default: read GitStateStore default: the store is unavailable") {
					t.Errorf("/readyz says %q", said)
				}
				if said := b.page("/api/v1/report"); !strings.Contains(said, `"KS060"`) || !strings.Contains(said, `"fix":"Start it; the next round tries again"`) {
					t.Errorf("the report says %s", said)
				}
				if said := b.page("/metrics"); !strings.Contains(said, `kratix_schedule_store_consecutive_failures{store="GitStateStore default"} 9`) &&
					!strings.Contains(said, `kratix_schedule_store_consecutive_failures{store="GitStateStore default"} 8`) {
					t.Errorf("the metrics say %s", said)
				}
			}
		}
		if asked, written := b.counts(); asked < 9 || asked > 13 || written > 0 { // after 1, 2, 4 ... 256 s, with a jitter of a quarter
			t.Errorf("asked %d times, written %d times", asked, written)
		}
		if after := runtime.NumGoroutine(); after > before+2 {
			t.Errorf("%d goroutines, before %d", after, before)
		}
		if lines := b.logs.Len(); lines > 2*50+10 { // two lines for each Work: the pending placement, and the reason
			t.Errorf("%d lines of log", lines)
		}
		b.setDown(false)
		time.Sleep(6 * time.Minute)
		if _, written := b.counts(); written != 1 {
			t.Errorf("what waited is written in %d times", written)
		}
		state, err := b.stored.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		right := 0
		for path := range state.Files.All() {
			content, err := state.Contents.Content(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if path.Base() == "map.yaml" && strings.Contains(string(content), "minute 9") {
				right++
			}
		}
		if right != 50 {
			t.Errorf("%d of 50 Works are as they should be", right)
		}
		if said := b.page("/metrics"); !strings.Contains(said, `kratix_schedule_store_consecutive_failures{store="GitStateStore default"} 0`) ||
			!strings.Contains(said, `kratix_schedule_store_next_try_timestamp_seconds{store="GitStateStore default"} 0`) {
			t.Errorf("the metrics say %s", said)
		}
	})
}

func TestEachChangeOfARestlessWorkIsOneWrite(t *testing.T) {
	inABubble(t, func(t *testing.T, b *bubble) {
		time.Sleep(time.Minute)
		b.counts() // ignores the first round, which has no Work
		for n := range 30 {
			b.putAndNotify("restless", time.Now().String())
			time.Sleep(time.Minute)
			if _, written := b.counts(); written != 1 {
				t.Fatalf("change %d is written %d times", n+1, written)
			}
			if told := strings.Contains(b.page("/api/v1/report"), `"KS048"`); told != (n >= 19) {
				t.Fatalf("after change %d it is told: %v", n+1, told)
			}
		}
		lines := b.logs.FilterField(zap.String("rule", "KS048")).All()
		if len(lines) != 1 || lines[0].ContextMap()["at"] != "Work default/restless" || !strings.Contains(lines[0].Message, "has changed 20 times in 19m") {
			t.Errorf("the log says %v", lines)
		}
		if time.Sleep(20 * time.Minute); strings.Contains(b.page("/api/v1/report"), `"KS048"`) {
			t.Error("it is told for ever")
		}
	})
}
