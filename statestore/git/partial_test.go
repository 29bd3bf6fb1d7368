package git_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestStoreWithBlobsOnDemandConforms(t *testing.T) {
	testkit.Slow(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		repository := gittest.Bare(t)
		return fixture(t, repository, served(t, repository, gittest.Partial()...))
	})
}

type counter struct{ fetches, bytes atomic.Int64 }

func (c *counter) count(next http.Handler, w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
		c.fetches.Add(1)
		w = counted{w, &c.bytes}
	}
	next.ServeHTTP(w, r)
}

func TestUnreadBlobsAreNotFetched(t *testing.T) {
	repository := gittest.Bare(t)
	big, other := noise(500_000), noise(400_000)
	gittest.Commit(t, repository, "main", map[string]string{"big": big, "dir/other": other})
	var count counter
	store := open(t, intercepted(t, repository, count.count, gittest.Partial()...))
	storetest.Write(t, store, map[string]string{"dir/mine": "m"}, "big")
	gittest.Commit(t, repository, "main", map[string]string{"dir/foreign": noise(300_000)})
	state := storetest.Read(t, store)
	if state.Files.Len() != 3 || count.bytes.Load() > 5_000 {
		t.Errorf("%d files, %d bytes fetched", state.Files.Len(), count.bytes.Load())
	}
	storetest.Holds(t, store, map[string]string{"dir/mine": "m", "dir/other": other, "dir/foreign": noise(300_000)})
	gittest.Fsck(t, repository)
}

func TestReadingManyFilesTakesFewFetches(t *testing.T) {
	repository := gittest.Bare(t)
	want := map[string]string{}
	for i := range 1500 {
		want[fmt.Sprintf("d%d/f%d", i%7, i)] = fmt.Sprint("content ", i)
	}
	gittest.Commit(t, repository, "main", want)
	var count counter
	state := storetest.Read(t, open(t, intercepted(t, repository, count.count, gittest.Partial()...)))
	for _, path := range state.Files.Paths(tree.Path{}) {
		if content, err := state.Contents.Content(t.Context(), path); err != nil || string(content) != want[path.String()] {
			t.Fatalf("%s: %q, %v", path, content, err)
		}
	}
	if n := count.fetches.Load(); n != 7 {
		t.Errorf("%d fetches for 1500 files, want the commit, then 32, 64, 128, 256, 512 and the rest", n)
	}
}

// TestServerWithoutSingleBlobsSendsAll uses a server that advertises single blobs but does not send
// them.
func TestServerWithoutSingleBlobsSendsAll(t *testing.T) {
	repository := gittest.Bare(t)
	want := map[string]string{"a": "1", "d/b": "2", "d/c": "3"}
	gittest.Commit(t, repository, "main", want)
	var count counter
	config := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(asked))
		if bytes.Contains(asked, []byte("want ")) && !bytes.Contains(asked, []byte("deepen ")) {
			count.fetches.Add(1)
			line := "ERR upload-pack: not our ref 0123456789012345678901234567890123456789"
			w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
			fmt.Fprintf(w, "%04x%s", len(line)+4, line)
			return
		}
		count.count(next, w, r)
	}, gittest.Partial()...)
	store := open(t, config)
	storetest.Holds(t, store, want)
	first := count.fetches.Load()
	gittest.Commit(t, repository, "main", map[string]string{"a": "one"})
	want["a"] = "one"
	storetest.Holds(t, store, want)
	if again := count.fetches.Load() - first; first != 3 || again != 1 {
		t.Errorf("%d fetches at first, want commit, blobs, all; then %d, want 1", first, again)
	}
}

func TestLocalRepositoriesSendBlobsOnDemand(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"a": "1", "d/b": "2"})
	store := open(t, git.Config{URL: repository})
	state := storetest.Read(t, store)
	gittest.Git(t, repository, "config", "uploadpack.allowFilter", "false")
	if content, err := state.Contents.Content(t.Context(), testkit.Path("d/b")); err != nil || string(content) != "2" {
		t.Errorf("%q, %v", content, err)
	}
	storetest.Holds(t, store, map[string]string{"a": "1", "d/b": "2"})
}
