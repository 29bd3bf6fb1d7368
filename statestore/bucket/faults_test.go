package bucket_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

type fault func(next http.Handler, w http.ResponseWriter, r *http.Request)

var faults = map[string]fault{
	"SlowDown": func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
		buckettest.Fail(w, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
	},
	"an internal error": func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
		buckettest.Fail(w, http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
	},
	"an internal error after the work is done": func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(httptest.NewRecorder(), r)
		buckettest.Fail(w, http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
	},
	"silence": func(_ http.Handler, _ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server must read the body to notice that its client has disconnected
		<-r.Context().Done()
	},
	"a closed connection": func(http.Handler, http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	},
	"an answer that is cut off": func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		whole := httptest.NewRecorder()
		next.ServeHTTP(whole, r)
		for key, values := range whole.Header() {
			w.Header()[key] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(whole.Body.Len()))
		w.WriteHeader(whole.Code)
		_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	},
	"an answer that stops": func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		whole := httptest.NewRecorder()
		next.ServeHTTP(whole, r)
		for key, values := range whole.Header() {
			w.Header()[key] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(whole.Body.Len()))
		w.WriteHeader(whole.Code)
		_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
		_ = http.NewResponseController(w).Flush()
		if whole.Body.Len() > 0 {
			<-r.Context().Done()
		}
	},
	"answers out of order": func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		time.Sleep(rand.N(50 * time.Millisecond))
		for key, values := range answer.Header() {
			w.Header()[key] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	},
}

func TestRoundsSucceedDespiteFaults(t *testing.T) {
	t.Parallel()
	server := buckettest.MinIO(t)
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain := configOf(t, server)
			config, proxy := behindProxy(t, plain)
			config.Patience = 300 * time.Millisecond
			var sent, failed atomic.Int64
			proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if sent.Add(1)%3 == 0 {
					failed.Add(1)
					fault(next, w, r)
					return
				}
				next.ServeHTTP(w, r)
			})
			store := open(t, config)
			random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same trees every time
			for range 3 {
				want := storetest.RandomTree(random, "w/")
				storetest.Settle(t, store, want)
				storetest.Holds(t, open(t, plain), want)
			}
			if failed.Load() < 20 {
				t.Errorf("only %d of %d requests failed", failed.Load(), sent.Load())
			}
		})
	}
}

func TestServerThatNeverRespondsIsUnavailable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	defer server.CloseClientConnections()
	store := open(t, bucket.Config{
		Name: "BucketStateStore default", Endpoint: server.Listener.Addr().String(), Insecure: true, Bucket: "bucket", Region: "us-east-1",
		Auth: bucket.Auth{AccessKeyID: "a", SecretAccessKey: "s3cret"}, Patience: 20 * time.Millisecond,
	})
	_, err := store.Read(t.Context())
	expect(t, map[string]error{"read": err}, statestore.ErrUnavailable, "sent nothing for 20ms", "responses are cut off")
}

func TestPermanentFaultsAreReported(t *testing.T) {
	t.Parallel()
	server := buckettest.MinIO(t)
	for name, c := range map[string]struct {
		patience      time.Duration
		message, hint string
	}{
		"SlowDown":                  {0, "the store is unavailable: SlowDown for s3:", "limits the rate of requests"},
		"an internal error":         {0, "the store is unavailable: InternalError for s3:", ""},
		"a closed connection":       {0, "closed the connection and did not answer", "responses are cut off"},
		"an answer that is cut off": {0, "the store is unavailable: ", "responses are cut off"},
		"an answer that stops":      {50 * time.Millisecond, "the server sent nothing for 50ms", "responses are cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, proxy := behindProxy(t, configOf(t, server))
			config.Patience, config.Region = c.patience, "us-east-1"
			proxy.Between(faults[name])
			_, err := open(t, config).Read(t.Context())
			expect(t, map[string]error{"read": err}, statestore.ErrUnavailable, c.message, c.hint)
		})
	}
}

func TestTwoConcurrentWriters(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			twoWriters(t, configOf(t, start(t)))
		})
	}
}

func twoWriters(t *testing.T, config bucket.Config) {
	var (
		group      sync.WaitGroup
		won, stale atomic.Int64
	)
	for _, name := range []string{"a", "b"} {
		want := map[string]string{}
		for i := range 30 {
			want[fmt.Sprintf("w/resources/f%d.yaml", i)] = name
		}
		want["w/resources/only-"+name+".yaml"] = name
		config, proxy := behindProxy(t, config)
		store := open(t, config)
		group.Go(func() {
			for range 40 {
				state := storetest.Read(t, store)
				changes := statestore.Diff(state, testkit.Files(want), func(tree.Path) bool { return true })
				if changes.Empty() {
					continue
				}
				proxy.Requests()
				_, err := store.Apply(t.Context(), changes)
				switch {
				case err == nil:
					won.Add(1)
				case errors.Is(err, statestore.ErrStale):
					stale.Add(1)
					// The loser must send nothing after it has noticed the other writer at the
					// marker.
					requests := proxy.Requests()
					files := slices.ContainsFunc(requests, func(r string) bool { return strings.HasPrefix(r, "PUT ") && !strings.HasSuffix(r, "store-revision") })
					if files && !strings.HasSuffix(requests[len(requests)-1], "store-revision") {
						t.Errorf("the loser sent %q", requests)
					}
				default:
					t.Errorf("a writer failed: %v", err)
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d won, %d lost", won.Load(), stale.Load())
	if won.Load() < 2 || stale.Load() == 0 {
		t.Errorf("%d won, %d lost: they did not meet", won.Load(), stale.Load())
	}
	want := map[string]string{"w/resources/last.yaml": "c"}
	storetest.Settle(t, open(t, config), want)
	storetest.Holds(t, open(t, config), want)
}
