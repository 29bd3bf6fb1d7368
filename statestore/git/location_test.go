package git_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestViewConformsAsAStore(t *testing.T) {
	testkit.Slow(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		repository := gittest.Bare(t)
		config := git.Config{URL: repository, Path: "a"}
		f := fixture(t, repository, config)
		f.Store, f.Reopen = open(t, config).View(), func() statestore.Store { return open(t, config).View() }
		return f
	})
}

func TestConcurrentReadsShareARequest(t *testing.T) {
	const n = 8
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"0/x": "0"})
	var questions atomic.Int64
	var waiting sync.WaitGroup
	config := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, "git-upload-pack") && questions.Add(1) == 1 {
			waiting.Wait()
		}
		next.ServeHTTP(w, r)
	})
	paths := strings.Fields(strings.Repeat("0 ", n))
	stores := pooled(t, config, paths...)
	waiting.Add(n)
	var reads sync.WaitGroup
	for _, store := range stores {
		reads.Go(func() {
			waiting.Done()
			storetest.Holds(t, store, map[string]string{"x": "0"})
		})
	}
	reads.Wait()
	// Reads that start while a request is in progress need another request.
	if got := questions.Load(); got < 1 || got > n/2 {
		t.Errorf("%d stores ask %d times", n, got)
	}
	before := questions.Load()
	gittest.Commit(t, repository, "main", map[string]string{"0/x": "1"})
	storetest.Holds(t, stores[0], map[string]string{"x": "1"})
	storetest.Holds(t, stores[1], map[string]string{"x": "1"})
	if got := questions.Load() - before; got != 2 {
		t.Errorf("two stores that are read one after the other ask %d times", got)
	}
}

func TestFailedRequestIsNotShared(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"a/x": "1", "b/x": "1"})
	var down atomic.Bool
	config := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
	stores := pooled(t, config, "a", "b")
	for range 2 {
		down.Store(true)
		var reads sync.WaitGroup
		for _, store := range stores {
			reads.Go(func() {
				if _, err := store.Read(t.Context()); err == nil {
					t.Error("it is down, and was read")
				}
			})
		}
		reads.Wait()
		down.Store(false)
		for _, store := range stores {
			storetest.Holds(t, store, map[string]string{"x": "1"})
		}
		for _, store := range stores {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestJointReadsShareARequest reads the stores one after the other, so that reads do not overlap.
func TestJointReadsShareARequest(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"0/x": "0"})
	var questions atomic.Int64
	config := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/info/refs") {
			questions.Add(1)
		}
		next.ServeHTTP(w, r)
	})
	stores := pooled(t, config, "0", "1", "2")
	for round := range 3 {
		ctx := statestore.JointReads(t.Context())
		for _, store := range stores {
			if _, err := store.Read(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if got := questions.Load(); got != int64(round+1) {
			t.Errorf("%d requests in %d rounds", got, round+1)
		}
	}
	for range 2 {
		storetest.Read(t, stores[0])
	}
	if got := questions.Load(); got != 5 {
		t.Errorf("%d requests", got)
	}
}
