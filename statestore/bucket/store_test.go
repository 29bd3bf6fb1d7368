package bucket_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/sse"

	"github.com/kratix-schedule/kratix-schedule/internal/servertest"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// kms configures a key service, so that MinIO can encrypt buckets.
const kms = "MINIO_KMS_SECRET_KEY=test-key:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

func behindProxy(t testing.TB, config bucket.Config) (bucket.Config, *servertest.Proxy) {
	t.Helper()
	proxy := buckettest.NewProxy(t, config.Endpoint)
	config.Endpoint = proxy.Endpoint
	return config, proxy
}

func put(t testing.TB, server *buckettest.Server, bucket, key, content string) minio.UploadInfo {
	t.Helper()
	info, err := server.Client.PutObject(t.Context(), bucket, key, strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func keys(t testing.TB, server *buckettest.Server, bucket string) []string {
	t.Helper()
	var keys []string
	for object := range server.Client.ListObjectsIter(t.Context(), bucket, minio.ListObjectsOptions{Recursive: true}) {
		if object.Err != nil {
			t.Fatal(object.Err)
		}
		keys = append(keys, object.Key)
	}
	return keys
}

func many(n int) map[string]string {
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("worker-1/resources/default/app/r%04d/file.yaml", i)] = fmt.Sprintf("name: r%d\n", i)
	}
	return files
}

func TestStoreDetailsOnMinIO(t *testing.T) {
	t.Parallel()
	server := buckettest.MinIO(t, kms)
	for _, c := range []struct {
		name string
		test func(*testing.T, *buckettest.Server)
	}{
		{"an unchanged round asks for the list alone", unchangedRound},
		{"a directory of records is read at once, and once", recordsAreReadAtOnce},
		{"dependencies are acknowledged before resources, deletes come last", order},
		{"removals go out a thousand at a time", removalsInBatches},
		{"a prefix ends at its slash", prefixEndsAtItsSlash},
		{"the marker and keys that are no paths are not files", notFiles},
		{"what would hide behind a file is refused", unsafeKeys},
		{"the revision is the marker's version in a versioned bucket", versioned},
		{"encryption by a key service rewrites nothing", encrypted},
		{"a multipart object is read once", multipart},
		{"the loser has put nothing", loserPutsNothing},
		{"an overtaken writer removes nothing", overtaken},
		{"what a write leaves half done is named until it is settled", halfDone},
		{"what arrives after its writer was overtaken is named", lateArrival},
		{"an answer that was lost is no other writer", lostAnswer},
		{"a provider without conditions is told of once", withoutConditions},
		{"a content that was replaced is stale", replacedContent},
		{"an emptied bucket is stale and then empty", emptied},
		{"objects say what they are", contentType},
		{"Probe leaves nothing behind", probe},
		{"a busy server is given time", busyServer},
		{"an answer that was cut off is asked for again", cutOffAnswer},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, server) })
	}
}

func unchangedRound(t *testing.T, server *buckettest.Server) {
	config, proxy := behindProxy(t, configOf(t, server))
	want := many(2500)
	store := open(t, config)
	storetest.Write(t, store, want)
	for round := range 3 {
		proxy.Requests()
		state := storetest.Read(t, store)
		if changes := statestore.Diff(state, testkit.Files(want), nil); !changes.Empty() {
			t.Fatalf("round %d wants to write %d files", round, len(changes.Write))
		}
		if got := proxy.Requests(); !slices.Equal(got, []string{"LIST", "LIST", "LIST"}) {
			t.Errorf("round %d asked %q for 2,501 keys", round, got)
		}
	}
	storetest.Read(t, open(t, config))
	if got := proxy.Requests(); !slices.Equal(got, []string{"LOCATION", "LIST", "LIST", "LIST", "GET /" + config.Bucket + "/.kratix/store-revision"}) {
		t.Errorf("another process asked %q", got)
	}
}

func recordsAreReadAtOnce(t *testing.T, server *buckettest.Server) {
	config, proxy := behindProxy(t, configOf(t, server))
	want := map[string]string{"worker-1/.kratiz": "after"}
	for i := range 100 {
		want[fmt.Sprintf("worker-1/.kratix/default-r%03d.yaml", i)] = strconv.Itoa(i)
	}
	storetest.Write(t, open(t, config), want)
	store := open(t, config)
	state := storetest.Read(t, store)
	proxy.Requests()
	var mu sync.Mutex
	now, most := 0, 0
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		next.ServeHTTP(w, r)
		mu.Lock()
		now--
		mu.Unlock()
	})
	for range 2 {
		for i := range 100 {
			path := testkit.Path(fmt.Sprintf("worker-1/.kratix/default-r%03d.yaml", i))
			content, err := state.Contents.Content(t.Context(), path)
			if err != nil || string(content) != strconv.Itoa(i) {
				t.Fatalf("%s: %q, %v", path, content, err)
			}
		}
	}
	if got := proxy.Requests(); len(got) != 100 || most < 2 {
		t.Errorf("%d requests, %d of them at once", len(got), most)
	}
}

func order(t *testing.T, server *buckettest.Server) {
	config, proxy := behindProxy(t, configOf(t, server))
	store := open(t, config)
	storetest.Write(t, store, map[string]string{
		"w/.kratix/old.yaml": "1", "w/.kratix/changed.yaml": "1", "w/resources/old/a.yaml": "1", "w/dependencies/old/a.yaml": "1",
	})
	stage := func(r *http.Request, begun bool) int {
		what, path := buckettest.Describe(r), strings.TrimPrefix(r.URL.Path, "/"+config.Bucket)
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch {
		case r.Method == http.MethodPut && path == "/.kratix/store-revision" && !begun:
			return 0
		case strings.HasPrefix(path, "/w/.kratix/new"):
			return 1
		case strings.HasPrefix(path, "/w/dependencies/"):
			return 2
		case strings.HasPrefix(path, "/w/resources/"):
			return 3
		case r.Method == http.MethodHead:
			return 4
		case strings.HasPrefix(path, "/w/.kratix/changed"):
			return 5
		case what == "DELETE many" && bytes.Contains(body, []byte("w/resources/old")):
			return 6
		case what == "DELETE many" && bytes.Contains(body, []byte("w/dependencies/old")):
			return 7
		case what == "DELETE many" && bytes.Contains(body, []byte("w/.kratix/old")):
			return 8
		case r.Method == http.MethodPut && path == "/.kratix/store-revision":
			return 9
		}
		return -1
	}
	var (
		mu    sync.Mutex
		began []int
		busy  = map[int]int{}
	)
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		at := stage(r, len(began) > 0)
		if at >= 0 {
			began = append(began, at)
			busy[at]++
			for other, n := range busy {
				if other != at && n > 0 {
					t.Errorf("a request of stage %d began before stage %d was acknowledged", at, other)
				}
			}
		}
		mu.Unlock()
		next.ServeHTTP(w, r)
		mu.Lock()
		busy[at]--
		mu.Unlock()
	})
	added := map[string]string{"w/.kratix/changed.yaml": "2"}
	for i := range 40 {
		added[fmt.Sprintf("w/.kratix/new-%d.yaml", i)] = "r"
		added[fmt.Sprintf("w/dependencies/new/%d.yaml", i)] = "d"
		added[fmt.Sprintf("w/resources/new/%d.yaml", i)] = "r"
	}
	storetest.Write(t, store, added, "w/.kratix/old.yaml", "w/resources/old/a.yaml", "w/dependencies/old/a.yaml")
	mu.Lock()
	defer mu.Unlock()
	if !slices.IsSorted(began) || len(began) != 1+3*40+6 {
		t.Errorf("stages in the order %v", began)
	}
}

func removalsInBatches(t *testing.T, server *buckettest.Server) {
	config, proxy := behindProxy(t, configOf(t, server))
	store := open(t, config)
	files := many(2500)
	storetest.Write(t, store, files)
	proxy.Requests()
	storetest.Write(t, store, nil, slices.Collect(maps.Keys(files))...)
	marker := "/" + config.Bucket + "/.kratix/store-revision"
	want := []string{"LIST", "LIST", "LIST", "PUT " + marker, "HEAD " + marker, "DELETE many", "DELETE many", "DELETE many", "PUT " + marker}
	if got := proxy.Requests(); !slices.Equal(got, want) {
		t.Errorf("asked %q", got)
	}
	storetest.Holds(t, store, map[string]string{})
}

func prefixEndsAtItsSlash(t *testing.T, server *buckettest.Server) {
	config := configOf(t, server)
	config.Path = "a/b"
	put(t, server, config.Bucket, "a/bc/file.yaml", "theirs")
	put(t, server, config.Bucket, "a/b.yaml", "theirs")
	store := open(t, config)
	storetest.Write(t, store, map[string]string{"file.yaml": "mine"})
	storetest.Holds(t, store, map[string]string{"file.yaml": "mine"})
	want := []string{"a/b.yaml", "a/b/.kratix/store-revision", "a/b/file.yaml", "a/bc/file.yaml"}
	if got := keys(t, server, config.Bucket); !slices.Equal(got, want) {
		t.Errorf("the bucket holds %q", got)
	}
}

func notFiles(t *testing.T, server *buckettest.Server) {
	config := configOf(t, server)
	for _, key := range []string{"made-in-a-console/", "a/.git/config", `back\slash`, "ok.yaml"} {
		put(t, server, config.Bucket, key, "")
	}
	store := open(t, config)
	storetest.Write(t, store, map[string]string{"mine": "1"})
	storetest.Holds(t, store, map[string]string{"mine": "1", "ok.yaml": ""})
}

func unsafeKeys(t *testing.T, server *buckettest.Server) {
	config := configOf(t, server)
	store := open(t, config)
	held := map[string]string{"a/b": "1", "d/e/f": "2", "d-e": "3"}
	storetest.Write(t, store, held)
	before := keys(t, server, config.Bucket)
	for name, c := range map[string]struct {
		write  []string
		remove []string
		names  string
	}{
		"below a held file":       {write: []string{"a/b/c"}, names: `"a/b" cannot be a file and hold "a/b/c"`},
		"far below a held file":   {write: []string{"a/b/c/d/e"}, names: `"a/b" cannot be a file and hold "a/b/c/d/e"`},
		"at a held directory":     {write: []string{"d"}, names: `"d" cannot be a file and hold "d/e/f"`},
		"only a part makes room":  {write: []string{"d/e"}, remove: []string{"a/b"}, names: `"d/e" cannot be a file and hold "d/e/f"`},
		"two new ones":            {write: []string{"n", "n/m"}, names: `"n" cannot be a file and hold "n/m"`},
		"two new ones apart":      {write: []string{"n", "n-", "n/m/o"}, names: `"n" cannot be a file and hold "n/m/o"`},
		"the marker":              {write: []string{".kratix/store-revision"}, names: ".kratix/store-revision"},
		"the marker's directory":  {write: []string{".kratix"}, names: ".kratix/store-revision"},
		"below the marker":        {write: []string{".kratix/store-revision/x"}, names: ".kratix/store-revision"},
		"a key that is too long":  {write: []string{strings.Repeat("long/", 205) + "x"}, names: "longer than 1024 bytes"},
		"a refused one among all": {write: []string{"fine", "a/b/c"}, names: `"a/b/c"`},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			for _, path := range c.write {
				files[path] = "x"
			}
			_, err := store.Apply(t.Context(), statestore.ChangeSet{
				Base: storetest.Read(t, store).Revision, Write: testkit.Files(files), Remove: testkit.Paths(c.remove...),
			})
			told := wantError(t, err, statestore.ErrContentRefused)
			if !strings.Contains(told.Error(), c.names) || told.Fix == "" {
				t.Errorf("%v (fix %q) does not name %s", err, told.Fix, c.names)
			}
			if after := keys(t, server, config.Bucket); !slices.Equal(before, after) {
				t.Errorf("the bucket holds %q", after)
			}
		})
	}
	storetest.Holds(t, store, held)
}

func versioned(t *testing.T, server *buckettest.Server) {
	config := configOf(t, server)
	if err := server.Client.EnableVersioning(t.Context(), config.Bucket); err != nil {
		t.Fatal(err)
	}
	store := open(t, config)
	storetest.Write(t, store, map[string]string{"a": "1"})
	revision := storetest.Write(t, store, map[string]string{"a": "2"})
	info, err := server.Client.StatObject(t.Context(), config.Bucket, ".kratix/store-revision", minio.StatObjectOptions{})
	if err != nil || info.VersionID == "" || string(revision) != info.VersionID {
		t.Errorf("revision %q, version %q, %v", revision, info.VersionID, err)
	}
	if got := storetest.Read(t, open(t, config)).Revision; got != revision {
		t.Errorf("another process reads %q", got)
	}
	storetest.Write(t, open(t, config), map[string]string{"b": "3"}, "a")
	storetest.Holds(t, store, map[string]string{"b": "3"})
}

func encrypted(t *testing.T, server *buckettest.Server) {
	config, proxy := behindProxy(t, configOf(t, server))
	want := map[string]string{"plain-before": "0"}
	storetest.Write(t, open(t, config), want)
	if err := server.Client.SetBucketEncryption(t.Context(), config.Bucket, sse.NewConfigurationSSEKMS("test-key")); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		want[fmt.Sprintf("dir/f%d", i)] = strconv.Itoa(i)
	}
	store := open(t, config)
	storetest.Write(t, store, want)
	put(t, server, config.Bucket, "foreign", "without a sum")
	want["foreign"] = "without a sum"
	if info := put(t, server, config.Bucket, "probe", "1"); info.ETag == "c4ca4238a0b923820dcc509a6f75849b" {
		t.Fatal("the ETag is the MD5: this tests nothing")
	}
	want["probe"] = "1"
	for name, s := range map[string]*bucket.Store{"the writer": store, "another process": open(t, config)} {
		for round := range 3 {
			proxy.Requests()
			state := storetest.Read(t, s)
			if changes := statestore.Diff(state, testkit.Files(want), nil); !changes.Empty() {
				t.Errorf("%s, round %d: wants to write %v", name, round, changes.Write)
			}
			if got := proxy.Requests(); round > 0 && !slices.Equal(got, []string{"LIST"}) {
				t.Errorf("%s, round %d: asked %q", name, round, got)
			}
		}
		storetest.Holds(t, s, want)
	}
}

func multipart(t *testing.T, server *buckettest.Server) {
	config, proxy := behindProxy(t, configOf(t, server))
	content := strings.Repeat("0123456789abcdef", 6<<16)
	info, err := server.Client.PutObject(t.Context(), config.Bucket, "big.bin", strings.NewReader(content), int64(len(content)),
		minio.PutObjectOptions{PartSize: 5 << 20})
	if err != nil || !strings.Contains(info.ETag, "-") {
		t.Fatalf("no multipart object: %+v, %v", info, err)
	}
	store := open(t, config)
	storetest.Read(t, store)
	for range 2 {
		proxy.Requests()
		state := storetest.Read(t, store)
		if got := proxy.Requests(); !slices.Equal(got, []string{"LIST"}) {
			t.Errorf("asked %q", got)
		}
		if changes := statestore.Diff(state, testkit.Files(map[string]string{"big.bin": content}), nil); !changes.Empty() {
			t.Error("it would be written again")
		}
	}
	// The store uploads each object in one part.
	storetest.Write(t, store, map[string]string{"ours.bin": content + content + content})
	own, err := server.Client.StatObject(t.Context(), config.Bucket, "ours.bin", minio.StatObjectOptions{})
	if err != nil || strings.Contains(own.ETag, "-") {
		t.Errorf("%+v, %v", own, err)
	}
}

func loserPutsNothing(t *testing.T, server *buckettest.Server) {
	config := configOf(t, server)
	first := open(t, config)
	config, proxy := behindProxy(t, config)
	second := open(t, config)
	for round := range 3 {
		base := storetest.Read(t, second).Revision
		storetest.Write(t, first, map[string]string{"winner": strconv.Itoa(round)})
		proxy.Requests()
		_, err := second.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(many(50)), Remove: testkit.Paths("winner")})
		wantError(t, err, statestore.ErrStale)
		for _, request := range proxy.Requests() {
			if !strings.HasSuffix(request, "/.kratix/store-revision") {
				t.Errorf("the loser sent %s", request)
			}
		}
	}
	storetest.Holds(t, first, map[string]string{"winner": "2"})
}

func overtaken(t *testing.T, server *buckettest.Server) {
	config := configOf(t, server)
	other := open(t, config)
	storetest.Write(t, other, map[string]string{"keep": "1"})
	config, proxy := behindProxy(t, config)
	store := open(t, config)
	base := storetest.Read(t, store).Revision
	var once sync.Once
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, "/new") {
			once.Do(func() { storetest.Write(t, other, map[string]string{"theirs": "2"}) })
		}
	})
	_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"new": "3"}), Remove: testkit.Paths("keep")})
	wantError(t, err, statestore.ErrStale)
	storetest.Holds(t, other, map[string]string{"keep": "1", "new": "3", "theirs": "2"})
}

func wantUnfinished(t *testing.T, config bucket.Config, want ...string) {
	t.Helper()
	if got := storetest.Read(t, open(t, config)).Unfinished; !slices.Equal(got, testkit.Paths(want...)) {
		t.Errorf("unfinished: %v, want %v", got, want)
	}
}

func halfDone(t *testing.T, server *buckettest.Server) {
	plain := configOf(t, server)
	config, proxy := behindProxy(t, plain)
	store := open(t, config)
	storetest.Write(t, store, map[string]string{"w/resources/old": "1", "w/resources/kept": "1"})
	wantUnfinished(t, plain)

	// The new files are written, and the old ones are not removed yet. Another writer has replaced
	// a new file.
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			buckettest.Fail(w, http.StatusForbidden, "AccessDenied", "no")
			return
		}
		next.ServeHTTP(w, r)
	})
	_, err := store.Apply(t.Context(), statestore.ChangeSet{
		Base:   storetest.Read(t, store).Revision,
		Write:  testkit.Files(map[string]string{"w/.kratix/new": "3", "w/dependencies/new": "2", "w/resources/new": "2", "w/resources/hand": "2"}),
		Remove: testkit.Paths("w/resources/old"),
	})
	wantError(t, err, statestore.ErrDenied)
	proxy.Between(nil)
	put(t, server, config.Bucket, "w/resources/hand", "by hand")
	wantUnfinished(t, plain, "w/dependencies/new", "w/resources/new", "w/resources/old")
	if got := storetest.Read(t, store).Unfinished; len(got) != 3 {
		t.Errorf("the writer itself is told of %v", got)
	}

	// The third file stays unfinished while ChangeSet.Unfinished lists it.
	for _, inDoubt := range [][]string{{"w/resources/new"}, {"w/resources/new"}, nil} {
		other := open(t, plain)
		_, err := other.Apply(t.Context(), statestore.ChangeSet{
			Base: storetest.Read(t, other).Revision, Write: testkit.Files(map[string]string{"w/resources/more": rand.Text()}),
			Remove: testkit.Paths("w/resources/old"), Unfinished: testkit.Paths(inDoubt...),
		})
		if err != nil {
			t.Fatal(err)
		}
		wantUnfinished(t, plain, inDoubt...)
	}
}

func lateArrival(t *testing.T, server *buckettest.Server) {
	plain := configOf(t, server)
	config, proxy := behindProxy(t, plain)
	store := open(t, config)
	storetest.Write(t, store, map[string]string{"held": "1"})
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/late") {
			storetest.Write(t, open(t, plain), map[string]string{"theirs": "2"}, "held")
		}
		next.ServeHTTP(w, r)
	})
	_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: storetest.Read(t, store).Revision, Write: testkit.Files(map[string]string{"late": "3"})})
	wantError(t, err, statestore.ErrStale)
	wantUnfinished(t, plain, "late")
	storetest.Write(t, open(t, plain), map[string]string{"theirs": "4"}, "late")
	wantUnfinished(t, plain)
}

func lostAnswer(t *testing.T, server *buckettest.Server) {
	config, proxy := behindProxy(t, configOf(t, server))
	store := open(t, config)
	lost := 0
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && lost%2 == 0 {
			next.ServeHTTP(httptest.NewRecorder(), r)
			lost++
			panic(http.ErrAbortHandler)
		}
		lost++
		next.ServeHTTP(w, r)
	})
	for i := range 4 {
		storetest.Write(t, store, map[string]string{"a": strconv.Itoa(i)})
	}
	proxy.Between(nil)
	storetest.Holds(t, store, map[string]string{"a": "3"})
	if lost == 0 {
		t.Error("no answer was lost")
	}
}

func withoutConditions(t *testing.T, server *buckettest.Server) {
	for _, refuses := range []bool{true, false} {
		config, proxy := behindProxy(t, configOf(t, server))
		var told []string
		config.Notify = func(message string) { told = append(told, message) }
		proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-Match")+r.Header.Get("If-None-Match") == "" || r.Method != http.MethodPut {
				next.ServeHTTP(w, r)
				return
			}
			if refuses {
				buckettest.Fail(w, http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
				return
			}
			body, _ := io.ReadAll(r.Body)
			info := put(t, server, config.Bucket, strings.TrimPrefix(r.URL.Path, "/"+config.Bucket+"/"), string(body))
			w.Header().Set("ETag", `"`+info.ETag+`"`)
		})
		store, other := open(t, config), open(t, config)
		storetest.Write(t, store, map[string]string{"a": "1"})
		storetest.Write(t, store, map[string]string{"b": "2"})
		if len(told) != 1 || !strings.Contains(told[0], "BucketStateStore default") || !strings.Contains(told[0], "leader election") {
			t.Errorf("refuses %v: told %q", refuses, told)
		}
		base := storetest.Read(t, other).Revision
		storetest.Write(t, other, map[string]string{"c": "3"})
		_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"d": "4"})})
		wantError(t, err, statestore.ErrStale)
		storetest.Holds(t, store, map[string]string{"a": "1", "b": "2", "c": "3"})
	}
}

func replacedContent(t *testing.T, server *buckettest.Server) {
	config := configOf(t, server)
	storetest.Write(t, open(t, config), map[string]string{"a": "1", "b": "2"})
	state := storetest.Read(t, open(t, config))
	put(t, server, config.Bucket, "a", "another")
	if err := server.Client.RemoveObject(t.Context(), config.Bucket, "b", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		content, err := state.Contents.Content(t.Context(), testkit.Path(name))
		if content != nil {
			t.Errorf("%s: got %q", name, content)
		}
		wantError(t, err, statestore.ErrStale)
	}
}

func emptied(t *testing.T, server *buckettest.Server) {
	config := configOf(t, server)
	store := open(t, config)
	storetest.Write(t, store, map[string]string{"a": "1"})
	base := storetest.Read(t, store).Revision
	for _, key := range keys(t, server, config.Bucket) {
		if err := server.Client.RemoveObject(t.Context(), config.Bucket, key, minio.RemoveObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"b": "2"})})
	wantError(t, err, statestore.ErrStale)
	storetest.Holds(t, store, map[string]string{})
	storetest.Write(t, store, map[string]string{"b": "2"})
	storetest.Holds(t, store, map[string]string{"b": "2"})
}

func contentType(t *testing.T, server *buckettest.Server) {
	config := configOf(t, server)
	storetest.Write(t, open(t, config), map[string]string{"a.yaml": "1"})
	info, err := server.Client.StatObject(t.Context(), config.Bucket, "a.yaml", minio.StatObjectOptions{})
	if err != nil || info.ContentType != "application/yaml" || info.UserMetadata["Kratix-Schedule-Md5"] != info.ETag {
		t.Errorf("%+v, %v", info, err)
	}
}

func probe(t *testing.T, server *buckettest.Server) {
	config, proxy := behindProxy(t, configOf(t, server))
	if err := open(t, config).Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := proxy.Requests(); !slices.Equal(got, []string{"LOCATION", "LIST", "BEGIN upload", "ABORT upload"}) {
		t.Errorf("asked %q", got)
	}
	for upload := range server.Client.ListIncompleteUploads(t.Context(), config.Bucket, "", true) {
		t.Errorf("left %v", upload)
	}
	if left := keys(t, server, config.Bucket); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

func cutOffAnswer(t *testing.T, server *buckettest.Server) {
	config, proxy := behindProxy(t, configOf(t, server))
	config.Region = "us-east-1"
	content := strings.Repeat("0123456789", 1000)
	storetest.Write(t, open(t, config), map[string]string{"a": content})
	gets := 0
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if gets++; gets%2 == 1 {
			faults["an answer that is cut off"](next, w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
	state := storetest.Read(t, open(t, config))
	got, err := state.Contents.Content(t.Context(), testkit.Path("a"))
	if err != nil || string(got) != content || gets != 6 {
		t.Errorf("%d bytes, %v, %d requests", len(got), err, gets)
	}
}

func busyServer(t *testing.T, server *buckettest.Server) {
	config, proxy := behindProxy(t, configOf(t, server))
	var (
		mu             sync.Mutex
		now, sent, off int
	)
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now++
		sent++
		over := now > 4
		if over {
			off++
		}
		mu.Unlock()
		if over {
			buckettest.Fail(w, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
		} else {
			next.ServeHTTP(w, r)
		}
		mu.Lock()
		now--
		mu.Unlock()
	})
	store := open(t, config)
	want := many(600)
	storetest.Write(t, store, want)
	mu.Lock()
	t.Logf("%d requests, %d turned away", sent, off)
	if off == 0 || off > sent/2 {
		t.Errorf("%d of %d requests were turned away", off, sent)
	}
	mu.Unlock()
	proxy.Between(nil)
	storetest.Holds(t, store, want)
}

func wantError(t *testing.T, err, kind error) statestore.Error {
	t.Helper()
	var told *statestore.Error
	if !errors.As(err, &told) || !errors.Is(err, kind) {
		t.Fatalf("got %v, want a *statestore.Error that wraps %q", err, kind)
	}
	if told.Store != "BucketStateStore default" || told.Op == "" {
		t.Errorf("store %q, op %q", told.Store, told.Op)
	}
	if everything := told.Error() + told.Remote + told.Fix; strings.Contains(everything, "s3cret") || strings.Contains(everything, "\n") {
		t.Errorf("a secret or a second line in: %s", everything)
	}
	return *told
}
