package oci_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci/ocitest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// fault sends a wrong response, or none.
type fault func(next http.Handler, w http.ResponseWriter, r *http.Request)

var faults = map[string]fault{
	"too many requests": func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
		ocitest.Fail(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "slow down")
	},
	"a full disk": func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
		ocitest.Fail(w, http.StatusInternalServerError, "UNKNOWN", "no space left on device")
	},
	"a bad gateway after the work is done": func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(httptest.NewRecorder(), r)
		w.WriteHeader(http.StatusBadGateway)
	},
	"silence": func(_ http.Handler, _ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server must read the body to notice that its client has disconnected
		<-r.Context().Done()
	},
	"a closed connection": func(http.Handler, http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	},
	"an answer that is cut off": func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		half(next, w, r)
		panic(http.ErrAbortHandler)
	},
	"an answer that stops": func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if half(next, w, r) {
			<-r.Context().Done()
		}
	},
	"slow answers": func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		time.Sleep(rand.N(100 * time.Millisecond))
		next.ServeHTTP(w, r)
	},
}

// half sends half of the body of a response. It returns false if there is no body.
func half(next http.Handler, w http.ResponseWriter, r *http.Request) bool {
	whole := httptest.NewRecorder()
	next.ServeHTTP(whole, r)
	for key, values := range whole.Header() {
		w.Header()[key] = values
	}
	if r.Method != http.MethodHead {
		w.Header().Set("Content-Length", strconv.Itoa(whole.Body.Len()))
	}
	w.WriteHeader(whole.Code)
	_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	return whole.Body.Len() > 0
}

// TestRoundsSucceedDespiteFaults runs rounds with random trees while every third request fails.
func TestRoundsSucceedDespiteFaults(t *testing.T) {
	t.Parallel()
	endpoint := ocitest.Registry(t)
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain := config(endpoint)
			faulty, proxy := through(t, plain)
			faulty.Patience = 300 * time.Millisecond
			var sent, failed atomic.Int64
			proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if sent.Add(1)%3 == 0 {
					failed.Add(1)
					fault(next, w, r)
					return
				}
				next.ServeHTTP(w, r)
			})
			store := open(t, faulty)
			random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same trees every time
			for range 3 {
				want := storetest.RandomTree(random, "")
				storetest.Settle(t, store, want)
				storetest.Holds(t, open(t, plain), want)
			}
			if failed.Load() < 8 {
				t.Errorf("only %d of %d requests failed", failed.Load(), sent.Load())
			}
		})
	}
}

func TestPauseThatTheRegistryDemandsIsRespected(t *testing.T) {
	t.Parallel()
	c, proxy := through(t, config(memory(t)))
	proxy.Between(func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		ocitest.Fail(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "slow down")
	})
	store := open(t, c)
	_, err := store.Read(t.Context())
	if !errors.Is(err, statestore.ErrUnavailable) || statestore.RetryAfter(err) != 2*time.Minute {
		t.Errorf("%v, retry after %s", err, statestore.RetryAfter(err))
	}
	proxy.Requests()
	if _, err := store.Read(t.Context()); !errors.Is(err, statestore.ErrUnavailable) || len(proxy.Requests()) > 0 {
		t.Errorf("a request was sent during the pause: %v", err)
	}
}

func TestUnchangedRoundsUploadNothing(t *testing.T) {
	t.Parallel()
	c, proxy := through(t, config(memory(t)))
	store := open(t, c)
	files := map[string]string{"dependencies/a": "1", "resources/b": "2"}
	storetest.Settle(t, store, files)
	for _, handle := range []statestore.Store{store, open(t, c)} {
		proxy.Requests()
		storetest.Settle(t, handle, files)
		for _, request := range proxy.Requests() {
			if request[0] != 'H' && request[0] != 'G' {
				t.Errorf("an unchanged round sends %s", request)
			}
		}
	}
	storetest.Read(t, store)
	if requests := proxy.Requests(); len(requests) != 1 || requests[0] != "HEAD manifest latest" {
		t.Errorf("an unchanged read sends %v", requests)
	}
	files["resources/b"] = "3"
	storetest.Settle(t, store, files)
	uploaded := map[string]int{}
	for _, request := range proxy.Requests() {
		uploaded[request]++
	}
	if uploaded["PUT upload"] != 1 || uploaded["PUT manifest latest"] != 1 {
		t.Errorf("one change sends %v", uploaded)
	}
}
