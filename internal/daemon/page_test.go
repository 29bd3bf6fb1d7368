package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/page"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

func inAPagedBubble(t *testing.T, test func(t *testing.T, b *bubble, shows func(target string) string)) {
	t.Helper()
	mux := http.NewServeMux()
	prepare := func(b *bubble) {
		b.daemon.Page = &page.Site{Version: "test", Now: time.Now}
		b.daemon.assemble(nil)
		b.daemon.Page.Register(mux)
	}
	inABubbleWith(t, prepare, func(t *testing.T, b *bubble) {
		test(t, b, func(target string) string {
			recorder := httptest.NewRecorder()
			mux.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, target, nil))
			return recorder.Body.String()
		})
	})
}

func (b *bubble) addWork(w *kratix.Work) {
	b.mu.Lock()
	b.works[w.Name] = w
	b.mu.Unlock()
	b.changes <- struct{}{}
}

const pagedSecret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: hunter2\n"

func TestPageShowsStoredFilesWithoutSecrets(t *testing.T) {
	inAPagedBubble(t, func(t *testing.T, b *bubble, shows func(string) string) {
		b.addWork(testkit.Request("a", testkit.WithFiles(map[string]string{
			"secret.yaml": pagedSecret, "map.yaml": testkit.ConfigMaps("colour"),
			"generated/kustomization.yaml": "secretGenerator:\n- name: g\n  files: [token.txt]\n", "generated/token.txt": "hunter2",
			"binary": "\x00\x01", "large.txt": strings.Repeat("x", maxPageFile+1),
		})))
		time.Sleep(time.Minute)
		target := "/placement?work=default/a&destination=worker-1"
		body := shows(target)
		for _, wanted := range []string{"unchanged", "colour", "&#39;***&#39;", "may put it into a Secret", "it is binary", "The rest is not shown", "The 1 Destinations", "GitStateStore default at"} {
			if !strings.Contains(body, wanted) && !(wanted == "unchanged" && strings.Contains(body, "placed")) {
				t.Errorf("it lacks %q", wanted)
			}
		}
		if strings.Contains(body, "hunter2") {
			t.Error("it shows the value of a Secret")
		}
		if t.Failed() {
			t.Log(body)
		}
	})
}

type stuck struct {
	statestore.Store
	calls, most *int
}

func (s stuck) Read(ctx context.Context) (statestore.State, error) {
	state, err := s.Store.Read(ctx)
	state.Contents = stuckContents{state.Contents, s}
	return state, err
}

type stuckContents struct {
	statestore.Contents
	of stuck
}

func (c stuckContents) Content(ctx context.Context, _ tree.Path) ([]byte, error) {
	*c.of.calls++
	*c.of.most = max(*c.of.most, *c.of.calls)
	<-ctx.Done()
	*c.of.calls--
	return nil, ctx.Err()
}

type opener struct{ store statestore.Store }

func (o opener) Open(kratix.StateStoreReference, kratix.Object, *kratix.Secret) (statestore.Store, error) {
	return o.store, nil
}

func TestPageReadsOneStoreAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls, most := 0, 0
		on, p := testkit.Destination("worker-1"), testkit.Placement(testkit.Request("a"), "worker-1")
		record, err := layout.NewRecord(on, p, layout.Rendering{})
		if err != nil {
			t.Fatal(err)
		}
		inner := memory.New("GitStateStore default")
		if _, err := inner.Apply(t.Context(), statestore.ChangeSet{Write: []tree.File{record}}); err != nil {
			t.Fatal(err)
		}
		stores := newWorkerStores(opener{stuck{inner, &calls, &most}}, func() {}, func(string, int, time.Duration) {})
		view, err := stores.Open(*on.Spec.StateStoreRef, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		pages := newPageStore(stores)
		wanted := page.Wanted{Placement: report.Placement{Work: "default/a", Object: p}, On: on}
		if _, err := pages.Files(t.Context(), wanted); !errors.Is(err, errPageUnread) {
			t.Errorf("before the store was read: %v", err)
		}
		if _, err := view.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var readers sync.WaitGroup
		for range 20 {
			readers.Go(func() {
				if _, err := pages.Files(t.Context(), wanted); err == nil {
					t.Error("a store that does not answer has files")
				}
			})
		}
		if _, err := view.Read(t.Context()); err != nil {
			t.Errorf("a round meanwhile: %v", err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("a round waits %s for the pages", took)
		}
		readers.Wait()
		if took := time.Since(began); took > pagePatience {
			t.Errorf("the readers wait %s", took)
		}
		if most != 1 {
			t.Errorf("%d requests at a time", most)
		}
	})
}

func TestPageComparesRevisionsWithoutSecrets(t *testing.T) {
	on, p := testkit.Destination("worker-1"), testkit.Placement(testkit.Request("a"), "worker-1")
	inner := memory.New("GitStateStore default")
	var revisions []string
	for i, value := range []string{"first", "second"} {
		files := []tree.File{
			{Path: testkit.Path("worker-1/resources/a/map.yaml"), Content: []byte("colour: " + value)},
			{Path: testkit.Path("worker-1/resources/a/secret.yaml"), Content: []byte(strings.Replace(pagedSecret, "hunter2", "hunter2-"+value, 1))},
			{Path: testkit.Path("worker-1/resources/a/token.txt"), Content: []byte("hunter2-" + value)},
		}
		var rendering layout.Rendering
		for _, file := range files {
			rendering.Files = append(rendering.Files, layout.File{File: file})
		}
		record, err := layout.NewRecord(on, p, rendering)
		if err != nil {
			t.Fatal(err)
		}
		generator := "secretGenerator:\n- name: g\n  files: [token.txt]\n"
		if i == 1 {
			generator = "resources: [map.yaml, secret.yaml]\n" // the file was in a Secret in the previous revision
		}
		files = append(files, record, tree.File{Path: testkit.Path("worker-1/resources/a/kustomization.yaml"), Content: []byte(generator)})
		state, err := inner.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		revision, err := inner.Apply(t.Context(), statestore.ChangeSet{Base: state.Revision, Write: files, Placements: []statestore.PlacementChange{{Action: statestore.Update, Work: "default/a", Destination: "worker-1"}}})
		if err != nil {
			t.Fatal(err)
		}
		revisions = append(revisions, string(revision))
	}
	stores := newWorkerStores(opener{inner}, func() {}, func(string, int, time.Duration) {})
	view, err := stores.Open(*on.Spec.StateStoreRef, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := view.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	pages, wanted := newPageStore(stores), page.Wanted{Placement: report.Placement{Work: "default/a", Destination: "worker-1", Object: p}, On: on}
	difference, err := pages.Compare(t.Context(), wanted, revisions[0], revisions[1])
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(difference.Lines, "")
	for _, want := range []string{"-colour: first", "+colour: second", "token.txt", "may put it into a Secret", "*** (before)"} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q", want)
		}
	}
	if strings.Contains(text, "hunter2") || t.Failed() {
		t.Errorf("it has the value of a Secret, or lacks something:\n%s", text)
	}
	if _, err := pages.Compare(t.Context(), wanted, "none", revisions[1]); !errors.Is(err, errPageUnknown) {
		t.Errorf("an unknown revision: %v", err)
	}
	if past, err := pages.History(t.Context(), wanted); err != nil && !errors.Is(err, errPageNoLog) || err == nil && len(past.Revisions) == 0 {
		t.Errorf("the history is %+v, %v", past, err)
	}
}

func TestPageHasItsOwnAddress(t *testing.T) {
	d := newBubble(t).daemon
	d.Page = &page.Site{Version: "test", Now: time.Now}
	get := func(address, path string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(body)
	}
	shared := startServer(t, d)
	if status, body := get(shared, "/"); status != http.StatusOK || !strings.Contains(body, "No round has been done yet") {
		t.Errorf("beside the metrics: %d %s", status, body)
	}
	var own string
	d.ListenPage = func(ctx context.Context) (net.Listener, error) {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		own = listener.Addr().String()
		return listener, err
	}
	address := startServer(t, d)
	for _, c := range []struct {
		address, path string
		status        int
	}{{address, "/", http.StatusNotFound}, {address, "/healthz", http.StatusOK}, {own, "/", http.StatusOK}, {own, "/healthz", http.StatusNotFound}, {own, "/api/v1/report", http.StatusNotFound}} {
		if status, _ := get(c.address, c.path); status != c.status {
			t.Errorf("%s%s: %d", c.address, c.path, status)
		}
	}
}

func TestOpenPagesDoNotDelayTheEnd(t *testing.T) {
	d := newBubble(t).daemon
	d.Page = &page.Site{Version: "test", Now: time.Now}
	var address string
	d.Listen = func(ctx context.Context) (net.Listener, error) {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		address = listener.Addr().String()
		return listener, err
	}
	_, stop, err := d.serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	connection := dial(t, address)
	if _, err := fmt.Fprintf(connection, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(connection).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatal(line, err)
	}
	began := time.Now()
	stop()
	if took := time.Since(began); took > shutdownTimeout/2 {
		t.Errorf("it takes %s", took)
	}
}
