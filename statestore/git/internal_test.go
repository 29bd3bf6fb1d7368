package git

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestPushStatusDeterminesTheKindOfError(t *testing.T) {
	for status, want := range map[string]error{
		"failed to update ref":                            statestore.ErrStale,
		"failed to lock":                                  statestore.ErrStale,
		"incorrect old value provided":                    statestore.ErrStale,
		"reference already exists":                        statestore.ErrStale,
		"non-fast-forward":                                statestore.ErrStale,
		"fetch first":                                     statestore.ErrStale,
		"pre-receive hook declined":                       statestore.ErrDenied,
		"hook declined":                                   statestore.ErrDenied,
		"hook declined: fetch first":                      statestore.ErrDenied,
		"protected branch hook declined":                  statestore.ErrDenied,
		"push declined due to repository rule violations": statestore.ErrDenied,
		"branch is currently checked out":                 statestore.ErrDenied,
		"deny updating a hidden ref":                      statestore.ErrDenied,
		"unpack: unpack-objects abnormal exit":            statestore.ErrUnavailable,
	} {
		got := judge(refusal{cause: fmt.Errorf("command error: %s", status), status: status, words: "cannot lock ref, hook declined"})
		if !errors.Is(got.kind, want) || got.remote == "" {
			t.Errorf("%s: %v", status, got.kind)
		}
	}
}

func TestAllConnectionEndingsAreReportedAlike(t *testing.T) {
	for _, ending := range []error{
		fmt.Errorf("ssh: handshake failed: %w", io.EOF),
		&url.Error{Op: "Get", URL: "http://git.example/", Err: io.ErrUnexpectedEOF},
		&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)},
		&net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)},
		&url.Error{Op: "Get", URL: "http://git.example/", Err: errors.New("http: server closed idle connection")},
	} {
		got := judge(ending)
		if !errors.Is(got.kind, statestore.ErrUnavailable) || got.text != "the connection ended before the answer did" {
			t.Errorf("%v: %v, %q", ending, got.kind, got.text)
		}
	}
	if got := judge(&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}); got.text != "" {
		t.Errorf("a connection that never was has ended: %q", got.text)
	}
}

func TestTreeWithOldModesIsRewrittenOnlyForAChange(t *testing.T) {
	held := newObjects()
	blob := encode(plumbing.BlobObject, []byte("x"))
	hash := blob.Hash()
	old := encode(plumbing.TreeObject, append([]byte("100664 a\x00"), hash[:]...))
	if err := held.add(map[plumbing.Hash]plumbing.EncodedObject{hash: blob, old.Hash(): old}); err != nil {
		t.Fatal(err)
	}
	for content, same := range map[string]bool{"x": true, "y": false} {
		edits, err := planEdits([]commitChanges{{&Store{}, statestore.ChangeSet{Write: testkit.Files(map[string]string{"a": content})}}})
		if err != nil {
			t.Fatal(err)
		}
		r := rewriter{objects: held, made: map[plumbing.Hash]plumbing.EncodedObject{}}
		if got, err := r.dir("", old.Hash(), edits); err != nil || (got == old.Hash()) != same || (len(r.made) == 0) != same {
			t.Errorf("%q: %s, %d new objects, %v", content, got, len(r.made), err)
		}
	}
}

func TestTidyDropsOldObjectsAndKeepsOldStatesReadable(t *testing.T) {
	store, err := Open(Config{URL: gittest.Bare(t), Now: func() time.Time { return time.Unix(0, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		storetest.Write(t, store, map[string]string{"a/b": strconv.Itoa(i), "c": "c"})
	}
	old := storetest.Read(t, store)
	storetest.Write(t, store, map[string]string{"a/b": "last"})
	before := store.objects.len()
	store.objects.grown.objects = minTidyObjects
	storetest.Read(t, store)
	if after := store.objects.len(); after != 5 || before <= after {
		t.Errorf("%d objects became %d, want a commit, two trees, two blobs", before, after)
	}
	if store.objects.grown != (growth{}) {
		t.Errorf("%+v of what is left counts as grown", store.objects.grown)
	}
	if content, err := old.Contents.Content(t.Context(), testkit.Path("a/b")); err != nil || string(content) != "4" {
		t.Errorf("the old State reads %q, %v", content, err)
	}
	storetest.Write(t, store, map[string]string{"d": "d"}, "c")
	gittest.Commit(t, store.remote.local, "main", map[string]string{"foreign": "f", "c": "c"})
	storetest.Holds(t, store, map[string]string{"a/b": "last", "c": "c", "d": "d", "foreign": "f"})
	gittest.Fsck(t, store.remote.local)
}

func TestTidyDropsLargeObjectsSooner(t *testing.T) {
	testkit.Slow(t)
	store, err := Open(Config{URL: gittest.Bare(t), Now: func() time.Time { return time.Unix(0, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	const size = 8 << 20
	want := ""
	for i := range 3 * minTidyBytes / size {
		want = strings.Repeat(strconv.Itoa(i%10), size)
		storetest.Write(t, store, map[string]string{"large": want})
		if held := store.objects.bytes(); held > minTidyBytes+2*size {
			t.Fatalf("%d bytes are held when %d files have been written", held, i+1)
		}
	}
	storetest.Holds(t, store, map[string]string{"large": want})
}

func TestFetchedBlobsDoNotCountAsGrowth(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"a": "1", "d/b": "2"})
	store, err := Open(Config{URL: repository, Now: func() time.Time { return time.Unix(0, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	state := storetest.Read(t, store)
	before := store.objects.len()
	if content, err := state.Contents.Content(t.Context(), testkit.Path("d/b")); err != nil || string(content) != "2" {
		t.Errorf("%q, %v", content, err)
	}
	if read := store.objects.len() - before; read == 0 || store.objects.grown != (growth{}) {
		t.Errorf("%d blobs were read, and %+v counts as grown", read, store.objects.grown)
	}
}

func TestTokenNeedsNoUser(t *testing.T) {
	for auth, want := range map[Auth][2]string{
		{Password: "token"}:                    {"git", "token"},
		{Username: "me", Password: "token"}:    {"me", "token"},
		{Username: "token-in-place-of-a-user"}: {"token-in-place-of-a-user", ""},
	} {
		shown, ok := fixedHTTP(auth).method.(*githttp.BasicAuth)
		if !ok || shown.Username != want[0] || shown.Password != want[1] {
			t.Errorf("%v is shown as %v", auth, shown)
		}
	}
}
