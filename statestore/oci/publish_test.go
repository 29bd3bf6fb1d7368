package oci_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/servertest"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci/ocitest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func pathsOf(names ...string) []tree.Path { return testkit.Paths(names...) }

// TestWriterThatIsOvertakenWritesNothing lets another writer publish at each point of an Apply.
func TestWriterThatIsOvertakenWritesNothing(t *testing.T) {
	t.Parallel()
	for moment := 1; moment <= 11; moment++ {
		t.Run(strconv.Itoa(moment), func(t *testing.T) {
			t.Parallel()
			plain := config(memory(t))
			proxied, proxy := through(t, plain)
			base := storetest.Write(t, open(t, plain), map[string]string{"a": "1"})
			store := open(t, proxied)
			storetest.Read(t, store)
			var count atomic.Int64
			var others error
			proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if count.Add(1) == int64(moment) {
					ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
					defer cancel()
					_, others = open(t, plain).Apply(ctx, statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"theirs": "t"})})
				}
				next.ServeHTTP(w, r)
			})
			_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"ours": "o"})})
			state := storetest.Read(t, open(t, plain))
			ours, theirs := state.Files.Has(testkit.Path("ours")), state.Files.Has(testkit.Path("theirs"))
			if err == nil && !ours || others == nil && count.Load() >= int64(moment) && !theirs {
				t.Errorf("a write was lost: ours %t (%v), theirs %t (%v)", ours, err, theirs, others)
			}
			if err != nil && !errors.Is(err, statestore.ErrStale) {
				t.Errorf("it fails with %v", err)
			}
		})
	}
}

// TestWriterWhoseTagIsReplacedIsStale replaces the tag between the write and the check.
func TestWriterWhoseTagIsReplacedIsStale(t *testing.T) {
	t.Parallel()
	plain := config(memory(t))
	proxied, proxy := through(t, plain)
	storetest.Write(t, open(t, plain), map[string]string{"a": "1"})
	store := open(t, proxied)
	base := storetest.Read(t, store).Revision
	var replaced atomic.Bool
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/latest") && !replaced.Swap(true) {
			storetest.Write(t, open(t, plain), map[string]string{"theirs": "t"})
		}
	})
	if _, err := store.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"ours": "o"})}); !errors.Is(err, statestore.ErrStale) {
		t.Errorf("it fails with %v", err)
	}
}

func TestAnnouncementOfAnInterruptedWriterIsIgnored(t *testing.T) {
	t.Parallel()
	for name, deletes := range map[string]bool{"registry that deletes": true, "registry that does not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain := config(memory(t))
			plain.Settle = 2 * time.Second
			proxied, proxy := through(t, plain)
			base := storetest.Write(t, open(t, proxied), map[string]string{"a": "1"})
			ctx, cancel := context.WithCancel(t.Context())
			proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r)
				if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/g2-") {
					cancel()
				}
			})
			if _, err := open(t, proxied).Apply(ctx, statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"a": "2"})}); err == nil {
				t.Fatal("it was not interrupted")
			}
			proxy.Between(nil)
			if !deletes {
				refuseDeletions(proxy)
			}
			store := open(t, proxied)
			for i := range 3 {
				begun := time.Now()
				storetest.Write(t, store, map[string]string{"a": fmt.Sprint("three", i)})
				if took := time.Since(begun); i > 0 && took > plain.Settle {
					t.Errorf("a write waits %s for the same announcement again", took)
				}
			}
			storetest.Holds(t, open(t, plain), map[string]string{"a": "three2"})
		})
	}
}

func TestConcurrentWritersWithoutDeletions(t *testing.T) {
	t.Parallel()
	c, proxy := through(t, config(memory(t)))
	c.Settle = 2 * time.Second
	refuseDeletions(proxy)
	want := map[string]string{}
	var group sync.WaitGroup
	for writer := range 3 {
		store := open(t, c)
		for i := range 3 {
			want[fmt.Sprintf("w%d/f%d", writer, i)] = "x"
		}
		group.Go(func() {
			for i := range 3 {
				for {
					state, err := store.Read(t.Context())
					if err == nil {
						_, err = store.Apply(t.Context(), statestore.ChangeSet{Base: state.Revision, Write: testkit.Files(map[string]string{fmt.Sprintf("w%d/f%d", writer, i): "x"})})
					}
					if err == nil {
						break
					}
					if !statestore.IsTemporary(err) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	group.Wait()
	storetest.Holds(t, open(t, c), want)
}

// TestWriterThatOthersIgnoreGivesUp delays the list of tags until other writers may ignore the
// announcement.
func TestWriterThatOthersIgnoreGivesUp(t *testing.T) {
	t.Parallel()
	plain := config(memory(t))
	plain.Settle = 100 * time.Millisecond
	c, proxy := through(t, plain)
	base := storetest.Write(t, open(t, plain), map[string]string{"a": "1"})
	tagAs(t, plain, "latest", "g2-000000000000")
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/tags/list") {
			time.Sleep(plain.Settle)
		}
		next.ServeHTTP(w, r)
	})
	_, err := open(t, c).Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"a": "2"})})
	if !errors.Is(err, statestore.ErrUnavailable) || !strings.Contains(err.Error(), "within 50ms") {
		t.Errorf("it fails with %v", err)
	}
	if now := storetest.Read(t, open(t, plain)).Revision; now != base {
		t.Errorf("the store is at %s, want %s", now, base)
	}
}

// tagAs tags the manifest of an existing tag with another one.
func tagAs(t *testing.T, c oci.Config, existing, added string) {
	t.Helper()
	host, name, _ := strings.Cut(strings.TrimPrefix(c.URL, "oci://"), "/")
	response, err := http.Get("http://" + host + "/v2/" + name + "/manifests/" + existing) //nolint:noctx // our own server
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+host+"/v2/"+name+"/manifests/"+added, response.Body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", response.Header.Get("Content-Type"))
	tagged, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	tagged.Body.Close()
}

func TestAnnouncementsOfOtherGenerationsAreIgnored(t *testing.T) {
	t.Parallel()
	plain := config(memory(t))
	store := open(t, plain)
	storetest.Write(t, store, map[string]string{"a": "1"})
	for _, tag := range []string{"g1-000000000000", "g3-000000000000-7", "g2-000000000000-0", "g2-000000000000-x", "g2-000000000000-9999999999", "g2-0", "v2"} {
		tagAs(t, plain, "latest", tag)
	}
	begun := time.Now()
	storetest.Write(t, store, map[string]string{"a": "2"})
	if took := time.Since(begun); took > plain.Settle/2 {
		t.Errorf("the write waits %s", took)
	}
}

func TestSlowRegistryDoesNotPublish(t *testing.T) {
	t.Parallel()
	plain := config(memory(t))
	plain.Settle = 100 * time.Millisecond
	c, proxy := through(t, plain)
	base := storetest.Write(t, open(t, plain), map[string]string{"a": "1"})
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/tags/list") {
			time.Sleep(plain.Settle)
		}
		next.ServeHTTP(w, r)
	})
	_, err := open(t, c).Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"a": "2"})})
	if !errors.Is(err, statestore.ErrUnavailable) || !strings.Contains(err.Error(), "within 50ms") {
		t.Errorf("it fails with %v", err)
	}
	if now := storetest.Read(t, open(t, plain)).Revision; now != base {
		t.Errorf("the store is at %s, want %s", now, base)
	}
}

func TestOldArtifactsAreDeleted(t *testing.T) {
	t.Parallel()
	for name, endpoint := range map[string]func(testing.TB) string{"memory": memory, "distribution": ocitest.Registry} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(endpoint(t))
			c.Keep, c.Signing = 3, oci.SigningKey{PrivateKey: plainKey(t)}
			store := open(t, c)
			var revisions []statestore.Revision
			for i := range 8 {
				changes := statestore.ChangeSet{Base: storetest.Read(t, store).Revision, Write: testkit.Files(map[string]string{"a": strconv.Itoa(i)})}
				if i > 1 {
					changes.InUse = revisions[1:2]
				}
				revision, err := store.Apply(t.Context(), changes)
				if err != nil {
					t.Fatal(err)
				}
				revisions = append(revisions, revision)
			}
			var kept []int
			for i, revision := range revisions {
				_, err := store.At(t.Context(), revision)
				if err == nil {
					kept = append(kept, i)
				} else if !errors.Is(err, statestore.ErrUnknownRevision) {
					t.Errorf("%d: %v", i, err)
				}
			}
			if !slices.Equal(kept, []int{1, 5, 6, 7}) {
				t.Errorf("%v are kept", kept)
			}
			signatures := 0
			for _, tag := range tagsOf(t, c) {
				if strings.HasSuffix(tag, ".sig") {
					signatures++
				}
			}
			if signatures != len(kept) {
				t.Errorf("%d signatures are left: %v", signatures, tagsOf(t, c))
			}
			log, err := store.Log(t.Context(), 10)
			if err != nil || len(log.Entries) != 3 {
				t.Errorf("%+v, %v", log, err)
			}
		})
	}
}

func tagsOf(t *testing.T, c oci.Config) []string {
	t.Helper()
	host, name, _ := strings.Cut(strings.TrimPrefix(c.URL, "oci://"), "/")
	response, err := http.Get("http://" + host + "/v2/" + name + "/tags/list") //nolint:noctx // our own server
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return strings.ContainsRune(`[]{}",:`, r) })
}

func TestRegistryWithoutDeletionsIsNoticedOnce(t *testing.T) {
	t.Parallel()
	c, proxy := through(t, config(memory(t)))
	refuseDeletions(proxy)
	var notices []string
	c.Keep, c.Notify = 2, func(text string) { notices = append(notices, text) }
	store := open(t, c)
	for i := range 6 {
		storetest.Write(t, store, map[string]string{"a": strconv.Itoa(i)})
	}
	if len(notices) != 1 || !strings.Contains(notices[0], "does not delete artifacts") {
		t.Errorf("%v", notices)
	}
	storetest.Holds(t, store, map[string]string{"a": "5"})
}

func refuseDeletions(proxy *servertest.Proxy) {
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			ocitest.Fail(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "no deletions")
			return
		}
		next.ServeHTTP(w, r)
	})
}
