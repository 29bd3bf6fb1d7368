package daemon

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/source"
)

var flood = flag.Duration("flood", 3*time.Second, "how long TestFloodOfEvents sends 1,000 events a second")

func enableEvents(b *bubble) {
	b.daemon.Inbox = agent.NewInbox()
	b.daemon.EventsSecret = func() (string, error) { return "0123456789abcdef", nil }
	b.daemon.Reconciler.Source = &inboxSource{Source: b.daemon.Reconciler.Source, inbox: b.daemon.Inbox}
}

func (b *bubble) report(revision string) error {
	_, err := b.daemon.Inbox.Add(agent.Event{Destination: "worker-1", Root: "resources", Revision: revision, Outcome: agent.Healthy, Time: time.Now()})
	return err
}

func TestEventsStartRoundsButNotTooMany(t *testing.T) {
	inABubbleWith(t, enableEvents, func(t *testing.T, b *bubble) {
		synctest.Wait()
		b.counts()
		if err := b.report("first"); err != nil {
			t.Fatal(err)
		}
		if asked, _ := b.counts(); asked != 1 {
			t.Errorf("the first event starts %d rounds", asked)
		}
		if err := b.report("first"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if asked, _ := b.counts(); asked != 0 {
			t.Errorf("an event that changes nothing starts %d rounds", asked)
		}
		for i := range 1000 {
			if err := b.report(strconv.Itoa(i)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if asked, _ := b.counts(); asked < 4 || asked > 6 {
			t.Errorf("1,000 events in 10 s start %d rounds", asked)
		}
	})
}

func TestInboxFollowsTheDestinations(t *testing.T) {
	inbox := agent.NewInbox()
	next := &snapshots{}
	from := &inboxSource{Source: next, inbox: inbox}
	knows := func(name string) bool {
		_, err := inbox.Add(agent.Event{Destination: name, Revision: "a", Outcome: agent.Healthy, Time: time.Now()})
		return err == nil
	}
	for _, step := range []struct {
		snapshot source.Snapshot
		one, two bool
	}{
		{source.Snapshot{Destinations: []*kratix.Destination{testkit.Destination("one")}, Unwritten: []*kratix.Destination{testkit.Destination("two")}}, true, true},
		{source.Snapshot{Destinations: []*kratix.Destination{testkit.Destination("one")}, Incomplete: true}, true, true},
		{source.Snapshot{Destinations: []*kratix.Destination{testkit.Destination("one")}}, true, false},
		{source.Snapshot{}, false, false},
	} {
		next.now = step.snapshot
		if _, err := from.Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		if one, two := knows("one"), knows("two"); one != step.one || two != step.two {
			t.Errorf("%+v: known are %t %t", step, one, two)
		}
	}
	from.ReadAll()
	if !next.all {
		t.Error("ReadAll is not passed on")
	}
}

func TestInboxTakesEventsOfAnotherShard(t *testing.T) {
	start := time.Now().UTC()
	for name, c := range map[string]struct {
		now  func() time.Time
		want []string
	}{
		"a shard":               {func() time.Time { return start }, []string{"a", "b", "b", "b"}},
		"a process without any": {nil, []string{"a", "a", "a", "a"}},
	} {
		inbox, next := agent.NewInbox(), &snapshots{}
		from := &inboxSource{Source: next, inbox: inbox, now: c.now}
		for i, step := range []struct {
			age      time.Duration
			revision string
		}{{time.Minute, "a"}, {0, "b"}, {time.Hour, "c"}, {-time.Hour, "from the future"}} {
			mark := agent.Mark{Revision: step.revision, Time: start.Add(-step.age)}
			d := testkit.Destination("one")
			d.Annotations = map[string]string{kratix.ReportedAnnotation: agent.FormatStates(map[string]agent.State{"resources": {Applied: mark, Latest: mark.Time}})}
			next.now = source.Snapshot{Destinations: []*kratix.Destination{d}}
			if _, err := from.Snapshot(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := inbox.States()["one"]["resources"].Applied.Revision; got != c.want[i] {
				t.Errorf("%s, step %d: applied is %q, want %q", name, i, got, c.want[i])
			}
		}
	}
}

func TestInboxStartsFromTheAnnotations(t *testing.T) {
	one, two := testkit.Destination("one"), testkit.Destination("two")
	mark := agent.Mark{Revision: "a", Time: time.Now().UTC()}
	one.Annotations = map[string]string{kratix.ReportedAnnotation: agent.FormatStates(map[string]agent.State{"resources": {Applied: mark, Latest: mark.Time}})}
	two.Annotations = map[string]string{kratix.ReportedAnnotation: "{"}
	inbox := agent.NewInbox()
	from := &inboxSource{Source: &snapshots{now: source.Snapshot{Destinations: []*kratix.Destination{one, two}}}, inbox: inbox}
	for range 2 {
		snapshot, err := from.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(snapshot.Findings) != 1 || snapshot.Findings[0].Place.Object != "Destination two" {
			t.Errorf("%+v", snapshot.Findings)
		}
		if got := inbox.States()["one"]["resources"].Applied.Revision; got != "a" {
			t.Errorf("applied is %q", got)
		}
		inbox.Add(agent.Event{Destination: "one", Root: "resources", Revision: "a", Outcome: agent.Applied, Time: time.Now()}) //nolint:errcheck // the Destination is known
	}
}

type snapshots struct {
	now source.Snapshot
	all bool
}

func (s *snapshots) Snapshot(context.Context) (source.Snapshot, error) { return s.now, nil }
func (s *snapshots) Changes(context.Context) (<-chan struct{}, error)  { return nil, nil } //nolint:nilnil // the source never changes
func (s *snapshots) ReadAll()                                          { s.all = true }

// TestFloodOfEvents sends up to 1,100 events a second. A third has a wrong signature, and a third
// is replayed.
func TestFloodOfEvents(t *testing.T) {
	testkit.Slow(t)
	b := newBubble(t)
	d := b.daemon
	enableEvents(b)
	names := make([]string, 100)
	for i := range names {
		names[i] = fmt.Sprintf("worker-%d", i)
	}
	d.Inbox.Known(names)
	address := startServer(t, d)

	const clients, perSecond, offered = 8, 1000, 1100
	start := time.Now()
	var accepted, unauthorized, failed atomic.Int64
	ctx, stop := context.WithTimeout(t.Context(), *flood)
	defer stop()
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{}).DialContext}}
			defer client.CloseIdleConnections()
			var before []byte
			for i := 0; awaitUntil(ctx, start.Add(time.Duration(i*clients+c)*time.Second/offered)); i++ {
				body, key := before, "0123456789abcdef"
				if i%3 == 0 || before == nil {
					body = floodBody(names[(i+c)%len(names)], c, i)
				}
				if before = body; i%3 == 1 {
					key = "wrong"
				}
				status, err := sendFlux(client, address, body, key)
				switch {
				case err != nil:
					failed.Add(1)
				case status == http.StatusAccepted:
					accepted.Add(1)
				case status == http.StatusUnauthorized:
					unauthorized.Add(1)
				default:
					t.Errorf("status %d", status)
					return
				}
			}
		})
	}
	time.Sleep(*flood / 3)
	heap, goroutines := usage()
	if status, err := get("http://" + address + "/healthz"); status != http.StatusOK || err != nil {
		t.Errorf("while events arrive: %d, %v", status, err)
	}
	most := heap
	for range 6 {
		time.Sleep(*flood / 10)
		now, _ := usage()
		most = max(most, now)
	}
	all.Wait()
	elapsed := time.Since(start)
	after, goroutinesAfter := usage()
	most = max(most, after)
	sent := accepted.Load() + unauthorized.Load()
	t.Logf("%d accepted and %d unauthorized in %s, %.0f a second; heap %d KiB, then at most %d KiB; %d goroutines, then %d",
		accepted.Load(), unauthorized.Load(), elapsed, float64(sent)/elapsed.Seconds(), heap>>10, most>>10, goroutines, goroutinesAfter)
	least := elapsed.Seconds() * perSecond
	if *flood < time.Minute {
		least /= 5
	}
	if float64(sent) < least || failed.Load() > 0 || unauthorized.Load() < sent/4 {
		t.Errorf("%d sent, %d failed; wanted at least %.0f", sent, failed.Load(), least)
	}
	if most > heap+4<<20 {
		t.Errorf("the heap grows from %d to %d", heap, most)
	}
	if goroutinesAfter > goroutines {
		t.Errorf("the goroutines grow from %d to %d", goroutines, goroutinesAfter)
	}
	if lines := b.logs.Len(); lines > 70*(1+int(flood.Minutes())) {
		t.Errorf("%d lines are logged", lines)
	}
	if roots := len(d.Inbox.States()); roots > len(names) {
		t.Errorf("%d states", roots)
	}
}

func awaitUntil(ctx context.Context, due time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Until(due)):
		return ctx.Err() == nil
	}
}

func floodBody(destination string, client, i int) []byte {
	return fmt.Appendf(nil, `{"involvedObject":{"kind":"Kustomization"},"severity":"error","timestamp":%q,"reason":"ReconciliationFailed","message":"Deployment/shop/web dry-run failed: %s","metadata":{"destination":%q,"root":"resources","revision":"main@sha1:%x"}}`,
		time.Now().Format(time.RFC3339), strings.Repeat("x", 5000), destination, sha256.Sum256(fmt.Append(nil, client, i)))
}

func sendFlux(client *http.Client, address string, body []byte, key string) (int, error) {
	request, err := http.NewRequest(http.MethodPost, "http://"+address+"/api/v1/events/flux", bytes.NewReader(body)) //nolint:noctx // the server is local
	if err != nil {
		return 0, err
	}
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write(body)
	request.Header.Set("X-Signature", fmt.Sprintf("sha256=%x", mac.Sum(nil)))
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func get(url string) (int, error) {
	response, err := http.Get(url) //nolint:noctx,gosec // the server is local
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

func usage() (heap uint64, goroutines int) {
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return memory.HeapAlloc, runtime.NumGoroutine()
}
