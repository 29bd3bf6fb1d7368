package oci_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci/ocitest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// settleTime is oci.Config.Settle on the virtual clock.
const settleTime = 10 * time.Second

// network sends requests to a registry in memory, with random delays.
type network struct {
	registry http.Handler
	mu       sync.Mutex
	random   *rand.Rand
	// longest and longestBack are the longest delays of a request and of a response.
	longest, longestBack time.Duration
	noDeletions          bool
}

func (n *network) delay(longest time.Duration) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.random.IntN(8) > 0 {
		longest /= 100
	}
	return time.Duration(n.random.Int64N(int64(longest)))
}

// RoundTrip completes a request even if the client gives up.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte{}
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	responses := make(chan *http.Response, 1)
	go func() {
		time.Sleep(n.delay(n.longest))
		arrived := r.Clone(context.WithoutCancel(r.Context()))
		arrived.Body = io.NopCloser(bytes.NewReader(body))
		recorder := httptest.NewRecorder()
		if n.noDeletions && r.Method == http.MethodDelete {
			ocitest.Fail(recorder, http.StatusMethodNotAllowed, "UNSUPPORTED", "no deletions")
		} else {
			n.registry.ServeHTTP(recorder, arrived)
		}
		time.Sleep(n.delay(n.longestBack))
		response := recorder.Result()
		response.Request = r
		responses <- response
	}()
	select {
	case response := <-responses:
		return response, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// writers are processes that write to one repository.
type writers struct {
	t       *testing.T
	network *network
	config  oci.Config
	mu      sync.Mutex
	// written are the files whose writes were acknowledged.
	written map[string]string
	refused int
}

func (w *writers) open() *oci.Store {
	store := open(w.t, w.config)
	store.SendThrough(w.network)
	return store
}

// write repeats the write of a file until it succeeds or ctx ends.
func (w *writers) write(ctx context.Context, store *oci.Store, name string) {
	for ctx.Err() == nil {
		state, err := store.Read(ctx)
		if err == nil {
			_, err = store.Apply(ctx, statestore.ChangeSet{Base: state.Revision, Write: testkit.Files(map[string]string{name: "x"})})
		}
		w.mu.Lock()
		if err == nil {
			w.written[name] = "x"
			w.mu.Unlock()
			return
		}
		w.refused++
		w.mu.Unlock()
		if ctx.Err() == nil && !statestore.IsTemporary(err) {
			w.t.Error(err)
			return
		}
	}
}

// compete runs writers concurrently, and checks that no acknowledged write is lost. It may
// interrupt crashing writers. It returns how long the writers took.
func (w *writers) compete(count, files, crashing int) time.Duration {
	begun := time.Now()
	var group sync.WaitGroup
	for i := range count + crashing {
		ctx, cancel := context.WithCancel(w.t.Context())
		defer cancel()
		if i >= count {
			time.AfterFunc(w.network.delay(100*w.config.Settle), cancel)
		}
		group.Go(func() {
			store := w.open()
			for file := range files {
				w.write(ctx, store, fmt.Sprintf("w%d/f%d", i, file))
			}
		})
	}
	group.Wait()
	took := time.Since(begun)
	time.Sleep(w.network.longest + w.network.longestBack) // no request is in progress any more
	state := storetest.Read(w.t, w.open())
	for name := range w.written {
		if !state.Files.Has(testkit.Path(name)) {
			w.t.Errorf("the write of %s was acknowledged and is lost", name)
		}
	}
	return took
}

// TestRandomWritersLoseNothing lets writers compete on a virtual clock.
func TestRandomWritersLoseNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		longest, longestBack time.Duration
		crashing             int
		// most is the maximum time of all writers, or 0 for no limit.
		most time.Duration
	}{
		"a quick registry":                     {longest: settleTime / 50, longestBack: settleTime / 50, most: 4 * settleTime},
		"a quick registry, and crashes":        {longest: settleTime / 50, longestBack: settleTime / 50, crashing: 2, most: 12 * settleTime},
		"late requests":                        {longest: settleTime / 2, longestBack: settleTime / 50},
		"late responses, also very late":       {longest: settleTime / 50, longestBack: 2 * settleTime},
		"late requests, responses and crashes": {longest: settleTime / 2, longestBack: 2 * settleTime, crashing: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused, longest := 0, time.Duration(0)
			for seed := range testkit.Seeds(40) {
				synctest.Test(t, func(t *testing.T) {
					n := &network{
						registry: ocitest.NewMemory(), random: rand.New(rand.NewPCG(seed, 1)), //nolint:gosec // the same each time
						longest: c.longest, longestBack: c.longestBack, noDeletions: seed%2 == 0,
					}
					w := &writers{t: t, network: n, config: config("registry.example.com"), written: map[string]string{}}
					w.config.Settle, w.config.Keep = settleTime, 3
					took := w.compete(3, 2, c.crashing)
					if c.most > 0 && took > c.most {
						t.Errorf("seed %d: the writes take %s", seed, took)
					}
					longest, refused = max(longest, took), refused+w.refused
				})
			}
			t.Logf("%d writes were refused, and the writes took at most %s", refused, longest)
			if refused == 0 {
				t.Error("no writers have met")
			}
		})
	}
}
