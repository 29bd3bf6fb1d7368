package git_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// tagging is a server that sends an ETag with the references, and 304 if they are unchanged.
type tagging struct {
	// off means that the server sends no ETags.
	off bool
	// sent counts the responses with a list, and unchanged those without.
	sent, unchanged int
	// always means that the server sends 304 although the request is not conditional.
	always bool
}

func (s *tagging) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	if s.off || !strings.Contains(r.URL.RawQuery, "git-upload-pack") {
		next.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	etag := fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256(answer.Body.Bytes())))
	if answer.Code != http.StatusOK {
		w.WriteHeader(answer.Code)
		return
	}
	w.Header().Set("ETag", etag)
	w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
	if r.Header.Get("If-None-Match") == etag || s.always {
		s.unchanged++
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.sent++
	_, _ = w.Write(answer.Body.Bytes())
}

func TestUnchangedReferencesAreNotSentAgain(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"x": "0"})
	server := &tagging{}
	store := open(t, intercepted(t, repository, server.serve))
	for range 3 {
		storetest.Holds(t, store, map[string]string{"x": "0"})
	}
	if server.sent != 1 || server.unchanged != 2 {
		t.Errorf("sent %d times, unchanged %d times", server.sent, server.unchanged)
	}
	gittest.Commit(t, repository, "main", map[string]string{"x": "1"})
	storetest.Holds(t, store, map[string]string{"x": "1"})
	storetest.Write(t, store, map[string]string{"x": "2"})
	for range 2 {
		storetest.Holds(t, store, map[string]string{"x": "2"})
	}
	if server.sent != 3 || server.unchanged != 4 { // Write reads before it writes
		t.Errorf("after two changes: sent %d times, unchanged %d times", server.sent, server.unchanged)
	}
	server.off = true
	gittest.Commit(t, repository, "main", map[string]string{"x": "3"})
	for range 2 {
		storetest.Holds(t, store, map[string]string{"x": "3"})
	}
}

func TestUnexpectedNotModifiedIsAnError(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"x": "0"})
	server := &tagging{always: true}
	store := open(t, intercepted(t, repository, server.serve))
	if _, err := store.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "304") {
		t.Errorf("err %v", err)
	}
}

func TestLongListOfReferencesIsNotKept(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"x": "0"})
	head := gittest.Git(t, repository, "rev-parse", "main")
	var packed strings.Builder
	for i := range 12_000 {
		_, _ = fmt.Fprintf(&packed, "%s refs/tags/%060d\n", head, i)
	}
	if err := os.WriteFile(filepath.Join(repository, "packed-refs"), []byte(packed.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	server := &tagging{}
	store := open(t, intercepted(t, repository, server.serve))
	for range 2 {
		storetest.Holds(t, store, map[string]string{"x": "0"})
	}
	if server.sent != 2 || server.unchanged != 0 {
		t.Errorf("sent %d times, unchanged %d times", server.sent, server.unchanged)
	}
}
